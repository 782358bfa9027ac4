import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { expect, test } from 'vitest';
import { createLineReader } from '../../../src/server/line-reader.ts';
import { createLineTransport } from '../../../src/server/line-transport.ts';

function readLines(chunks: readonly Buffer[], maxLineBytes: number): (string | null)[] {
  const lines: (string | null)[] = [];
  const reader = createLineReader({ maxLineBytes, onLine: (line) => lines.push(line), onTooLong: () => lines.push(null) });
  for (const chunk of chunks) reader.push(chunk);
  return lines;
}

test('createLineReader() gives the same lines however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !/[\r\n]/.test(line))), fc.array(fc.nat(200)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const at = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
      const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      expect(readLines(chunks, 10_000)).toEqual(lines);
    }),
  );
});

test('createLineReader() takes \\r\\n, keeps an unfinished line back, and skips only what is too long', () => {
  const chunks = ['a\r\nbb\n', 'x'.repeat(8), 'x'.repeat(8), 'x\nc', '\nrest'].map((chunk) => Buffer.from(chunk));
  expect(readLines(chunks, 10)).toEqual(['a', 'bb', null, 'c']);
  expect(readLines([Buffer.from(`${'x'.repeat(10)}\n${'y'.repeat(11)}\nz\n`)], 10)).toEqual(['x'.repeat(10), null, 'z']);
});

interface Wire {
  readonly input: PassThrough;
  readonly received: JSONRPCMessage[];
  readonly closed: Promise<void>;
  send(message: JSONRPCMessage): Promise<void>;
  answers(): unknown[];
}

async function openWire(drainMs = 50): Promise<Wire> {
  const input = new PassThrough();
  const output = new PassThrough();
  const transport = createLineTransport({ input, output, maxLineBytes: 200, drainMs });
  const received: JSONRPCMessage[] = [];
  transport.onmessage = (message: JSONRPCMessage) => received.push(message);
  const closed = new Promise<void>((resolve) => (transport.onclose = resolve));
  await transport.start();
  return {
    input,
    received,
    closed,
    send: (message) => transport.send(message),
    answers: () =>
      String(output.read() ?? '')
        .split('\n')
        .filter((line) => line !== '')
        .map((line): unknown => JSON.parse(line)),
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test.for([
  { line: '{"jsonrpc":', id: null, code: -32_700, message: 'Parse error: the line is not valid JSON' },
  { line: 'debug output', id: null, code: -32_700, message: 'Parse error: the line is not valid JSON' },
  {
    line: '{"jsonrpc":"1.0","id":7,"method":"x"}',
    id: 7,
    code: -32_600,
    message: 'Invalid Request: the line is not a JSON-RPC 2.0 message',
  },
  { line: '{"id":"s"}', id: 's', code: -32_600, message: 'Invalid Request: the line is not a JSON-RPC 2.0 message' },
  { line: '{"id":{}}', id: null, code: -32_600, message: 'Invalid Request: the line is not a JSON-RPC 2.0 message' },
  { line: '[]', id: null, code: -32_600, message: 'Invalid Request: the line is not a JSON-RPC 2.0 message' },
  { line: 'null', id: null, code: -32_600, message: 'Invalid Request: the line is not a JSON-RPC 2.0 message' },
  { line: 'x'.repeat(201), id: null, code: -32_600, message: 'Invalid Request: a message must not exceed 200 bytes' },
])('createLineTransport() answers $line and goes on', async ({ line, id, code, message }) => {
  const wire = await openWire();
  wire.input.write(`${line}\n\n  \n{"jsonrpc":"2.0","id":1,"method":"ping"}\n`);
  await settle();
  expect(wire.answers()).toEqual([{ jsonrpc: '2.0', id, error: { code, message } }]);
  expect(wire.received).toEqual([{ jsonrpc: '2.0', id: 1, method: 'ping' }]);
});

test('createLineTransport() never answers a broken answer, which could go on for ever', async () => {
  const wire = await openWire();
  wire.input.write('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}\n{"id":[],"result":1}\n');
  await settle();
  expect(wire.answers()).toEqual([]);
});

test('createLineTransport() lets a request in work be answered after the end of the input', async () => {
  const wire = await openWire(60_000);
  wire.input.end('{"jsonrpc":"2.0","id":1,"method":"tools/call"}\n{"jsonrpc":"2.0","id":2,"method":"subscriptions/listen"}\n');
  await settle();
  await wire.send({ jsonrpc: '2.0', id: 1, result: {} });
  await wire.closed;
  expect(wire.answers()).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
  await expect(wire.send({ jsonrpc: '2.0', id: 2, result: {} })).rejects.toThrow('The connection is closed');
});

test('createLineTransport() closes after the end of the input, at once or when the time for answers is over', async () => {
  const idle = await openWire(60_000);
  idle.input.end();
  await idle.closed;
  const busy = await openWire(20);
  busy.input.end('{"jsonrpc":"2.0","id":1,"method":"tools/call"}\n');
  await busy.closed;
  const cancelled = await openWire(60_000);
  cancelled.input.write('{"jsonrpc":"2.0","id":1,"method":"tools/call"}\n');
  cancelled.input.end('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}\n');
  await cancelled.closed;
});
