import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { RESULT } from '../../../../src/executors/wasm/channel.ts';
import { readGuestResponse } from '../../../../src/executors/wasm/response.ts';

const DEEP = 200_000;

describe('readGuestResponse()', () => {
  test.for([
    ['{"success":true}', ''],
    ['{"success":true,"output":null,"error":null}', ''],
    ['{"success":true,"output":""}', ''],
    ['{"success":true,"output":"done","error":"ignored"}', 'done'],
    ['{"success":true,"output":5}', '5'],
    ['{"success":true,"output":false}', 'false'],
    ['{"success":true,"output":[1,{"a":2}]}', '[1,{"a":2}]'],
    [' {"success":true,"output":"x","more":1}\n', 'x'],
  ] as const)('takes %s as the text %o', ([text, output]) => {
    expect(readGuestResponse(text)).toEqual({ status: RESULT.ok, text: output });
  });

  test('takes an object as structured, its text the JSON of it', () => {
    expect(readGuestResponse('{"success":true,"output":{ "b": 1, "a": [] }}')).toEqual({
      status: RESULT.structured,
      text: '{"b":1,"a":[]}',
    });
  });

  test('keeps __proto__ a member, and changes no prototype', () => {
    const { status, text } = readGuestResponse('{"__proto__":{"success":true},"success":true,"output":{"__proto__":{"polluted":1}}}');
    expect([status, text]).toEqual([RESULT.structured, '{"__proto__":{"polluted":1}}']);
    expect({}).not.toHaveProperty('polluted');
    expect(readGuestResponse('{"__proto__":{"success":true}}').status).toBe(RESULT.malformed);
  });

  test.for([
    ['{"success":false,"error":"no such note"}', 'no such note'],
    ['{"success":false,"output":"ignored"}', 'the plugin failed without saying why'],
    ['{"success":false,"error":null}', 'the plugin failed without saying why'],
    ['{"success":false,"error":""}', 'the plugin failed without saying why'],
    ['{"success":false,"error":{"code":1}}', 'the plugin failed without saying why'],
  ] as const)('takes %s as the failure %o', ([text, reason]) => {
    expect(readGuestResponse(text)).toEqual({ status: RESULT.refused, text: reason });
  });

  test.for([
    ['', 'it is not JSON: ""'],
    ['plain text', 'it is not JSON: "plain text"'],
    ['{"success":true', 'it is not JSON: "{\\"success\\":true"'],
    ['\ufeff{"success":true}', 'it is not JSON: "\ufeff{\\"success\\":true}"'],
    ['null', 'it is not an object: "null"'],
    ['[]', 'it is not an object: "[]"'],
    ['"success"', 'it is not an object: "\\"success\\""'],
    ['{}', 'it has no "success": "{}"'],
    ['{"success":"true"}', 'it has no "success": "{\\"success\\":\\"true\\"}"'],
    ['{"success":1}', 'it has no "success": "{\\"success\\":1}"'],
    ['{"output":"x"}', 'it has no "success": "{\\"output\\":\\"x\\"}"'],
  ] as const)('refuses %o', ([text, reason]) => {
    expect(readGuestResponse(text)).toEqual({ status: RESULT.malformed, text: `answer not understood, ${reason}` });
  });

  test('quotes 120 characters of an answer at most', () => {
    expect(readGuestResponse('x'.repeat(1_000_000)).text).toBe(`answer not understood, it is not JSON: "${'x'.repeat(120)}…"`);
  });

  test.for([
    ['brackets', `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`],
    ['objects', `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`],
  ] as const)('refuses output of 200,000 nested %s without overflowing the stack', ([, output]) => {
    expect(readGuestResponse(`{"success":true,"output":${output}}`)).toEqual({
      status: RESULT.malformed,
      text: 'answer not understood, its output is nested deeper than 64 levels',
    });
    expect(readGuestResponse(output).status).toBe(RESULT.malformed);
    expect(readGuestResponse(`{"success":false,"error":${output}}`).status).toBe(RESULT.refused);
  });

  test.for([
    [64, RESULT.ok],
    [65, RESULT.ok],
    [66, RESULT.malformed],
  ] as const)('output nested %i deep', ([depth, status]) => {
    expect(readGuestResponse(`{"success":true,"output":${'['.repeat(depth)}${']'.repeat(depth)}}`).status).toBe(status);
  });

  test('never throws, and gives text for all that JSON can hold', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(typeof readGuestResponse(text).text).toBe('string');
        expect(typeof readGuestResponse(`{"success":true,"output":${text}}`).text).toBe('string');
      }),
    );
  });
});
