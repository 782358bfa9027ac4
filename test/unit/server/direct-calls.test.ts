import type { JSONRPCMessage, Server } from '@modelcontextprotocol/server';
import { ProtocolError } from '@modelcontextprotocol/server';
import { expect, test } from 'vitest';

import { createDirectCalls } from '../../../src/server/direct-calls.ts';
import type { DirectRequest, Tools } from '../../../src/server/tools.ts';

/** Tools of which `direct` can be called; every call waits for `finish` and hears its cancellation. */
function openCalls() {
  const sent: JSONRPCMessage[] = [];
  const calls: { name: string; args: unknown; signal: AbortSignal; finish: (text: string) => void; fail: (error: unknown) => void }[] = [];
  const tools: Tools = {
    register: () => {},
    canCallDirectly: (name) => name === 'direct',
    callDirectly: ({ name, arguments: args }, { signal }: DirectRequest) =>
      new Promise((resolve, reject) => {
        calls.push({ name, args, signal, finish: (text) => resolve({ content: [{ type: 'text', text }] }), fail: reject });
      }),
  };
  const direct = createDirectCalls({ send: (message) => Promise.resolve(void sent.push(message)) }, tools);
  const take = (message: object): boolean => direct.take({} as Server, { jsonrpc: '2.0', ...message } as JSONRPCMessage);
  return { sent, calls, direct, take };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const aCall = (id: number, params: object = { name: 'direct', arguments: { a: 1 } }): object => ({ id, method: 'tools/call', params });

test('createDirectCalls() answers a plain call of a tool that needs nobody’s word', async () => {
  const { sent, calls, take } = openCalls();
  expect(take(aCall(1))).toBe(true);
  expect(calls[0]).toMatchObject({ name: 'direct', args: { a: 1 } });
  calls[0]?.finish('done');
  await settled();
  expect(sent).toEqual([{ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'done' }] } }]);
});

test.for([
  ['another method', { id: 1, method: 'tools/list' }],
  ['a notification', { method: 'notifications/initialized' }],
  ['an answer', { id: 1, result: {} }],
  ['a tool that may ask, or is unknown', aCall(1, { name: 'other' })],
  ['a progress token', aCall(1, { name: 'direct', _meta: { progressToken: 1 } })],
  ['the answer of a person', aCall(1, { name: 'direct', inputResponses: {} })],
  ['a task', aCall(1, { name: 'direct', task: {} })],
  ['a name that is no text', aCall(1, { name: 1 })],
  ['arguments that are a list', aCall(1, { name: 'direct', arguments: [] })],
  ['no parameters', { id: 1, method: 'tools/call' }],
] as const)('createDirectCalls() leaves to the SDK: %s', ([, message]) => {
  const { calls, take } = openCalls();
  expect(take(message)).toBe(false);
  expect(calls).toEqual([]);
});

test('createDirectCalls() leaves a second request under an id that is in use to the SDK', async () => {
  const { calls, take } = openCalls();
  expect(take(aCall(1))).toBe(true);
  expect(take(aCall(1))).toBe(false);
  calls[0]?.finish('done');
  await settled();
  expect(take(aCall(1))).toBe(true);
});

test('createDirectCalls() cancels its own calls and does not answer them', async () => {
  const { sent, calls, take } = openCalls();
  take(aCall(1));
  expect(take({ method: 'notifications/cancelled', params: { requestId: 2 } })).toBe(false);
  expect(take({ method: 'notifications/cancelled', params: { requestId: 1 } })).toBe(true);
  expect(calls[0]?.signal.aborted).toBe(true);
  calls[0]?.finish('too late');
  await settled();
  expect(sent).toEqual([]);
});

test('createDirectCalls() answers an error of the protocol as such, and any other without its detail', async () => {
  const { sent, calls, take } = openCalls();
  take(aCall(1));
  take(aCall(2));
  calls[0]?.fail(new ProtocolError(-32602, 'Unknown tool: direct'));
  calls[1]?.fail(new Error('secret'));
  await settled();
  expect(sent).toEqual([
    { jsonrpc: '2.0', id: 1, error: { code: -32602, message: 'Unknown tool: direct' } },
    { jsonrpc: '2.0', id: 2, error: { code: -32603, message: 'Internal error: the log of plugbridge has the detail' } },
  ]);
});

test('createDirectCalls() cancels everything when the connection closes', async () => {
  const { sent, calls, direct, take } = openCalls();
  take(aCall(1));
  take(aCall(2));
  direct.close();
  expect(calls.map((call) => call.signal.aborted)).toEqual([true, true]);
  for (const call of calls) call.finish('too late');
  await settled();
  expect(sent).toEqual([]);
});
