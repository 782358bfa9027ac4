import { isJSONRPCRequest, parseJSONRPCMessage } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { isPlainRequest } from '../../../src/server/plain-request.ts';

const CALL = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a', arguments: { b: [1, { c: null }] } } };

describe('isPlainRequest()', () => {
  test.for([
    ['a call', CALL],
    ['a text as id', { ...CALL, id: 'one' }],
    ['no params', { jsonrpc: '2.0', id: 0, method: 'ping' }],
  ] as const)('takes %s, which the schema leaves as it is', ([, request]) => {
    expect(isPlainRequest(request)).toBe(true);
    expect(parseJSONRPCMessage(request)).toEqual(request);
  });

  test.for([
    ['a list', [CALL]],
    ['nothing', null],
    ['another version', { ...CALL, jsonrpc: '1.0' }],
    ['no version', { id: 1, method: 'ping' }],
    ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }],
    ['null as id', { ...CALL, id: null }],
    ['a fraction as id', { ...CALL, id: 1.5 }],
    ['an id past 2^53', { ...CALL, id: 2 ** 53 }],
    ['a method that is no text', { ...CALL, method: 1 }],
    ['a list of params', { ...CALL, params: [1] }],
    ['null as params', { ...CALL, params: null }],
    ['an envelope or a progress token', { ...CALL, params: { ...CALL.params, _meta: {} } }],
    ['a further member', { ...CALL, result: {} }],
    ['a member that would be a prototype', JSON.parse('{"jsonrpc":"2.0","id":1,"method":"ping","__proto__":{}}')],
    ['params with a member that would be a prototype', JSON.parse('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"__proto__":{}}}')],
    ['an answer', { jsonrpc: '2.0', id: 1, result: {} }],
  ] as const)('leaves %s to the schema', ([, value]) => {
    expect(isPlainRequest(value)).toBe(false);
  });

  test('never takes what the schema refuses or changes', () => {
    const odd = fc.oneof(fc.constantFrom('2.0', 'tools/call', 1, null, 1.5), fc.jsonValue());
    const mostly = <Value>(usual: fc.Arbitrary<Value>) => fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: odd });
    const message = fc.record(
      {
        jsonrpc: mostly(fc.constant('2.0')),
        id: mostly(fc.oneof(fc.integer(), fc.string())),
        method: mostly(fc.string()),
        params: mostly(fc.dictionary(fc.string(), fc.jsonValue())),
      },
      { requiredKeys: ['jsonrpc', 'id', 'method'] },
    );
    fc.assert(
      fc.property(message, (value) => {
        fc.pre(isPlainRequest(value));
        expect(isJSONRPCRequest(value)).toBe(true);
        expect(parseJSONRPCMessage(value)).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });
});
