import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bundleServer } from '../helpers/mcp-clients.ts';

let bundle: Awaited<ReturnType<typeof bundleServer>>;
beforeAll(async () => {
  bundle = await bundleServer('test/helpers/mcp-stdio-server.ts');
});
afterAll(() => bundle.remove());

interface Message {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { code: number };
}

interface Process {
  readonly child: ChildProcessWithoutNullStreams;
  readonly exited: Promise<number | null>;
  readonly messages: Message[];
  send(message: unknown): void;
  answer(id: number): Promise<Message>;
}

function startProcess(): Process {
  const child = spawn(process.execPath, [bundle.file], { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const messages: Message[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => messages.push(JSON.parse(line) as Message));
  return {
    child,
    exited,
    messages,
    send: (message) => void child.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`),
    answer: (id) =>
      expect
        .poll(() => messages.find((message) => message.id === id), { timeout: 10_000 })
        .toBeDefined()
        .then(() => messages.find((message) => message.id === id) ?? {}),
  };
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: { elicitation: {} }, clientInfo: { name: 'raw', version: '0' } },
};
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };
const call = (id: number, name: string, args: unknown = {}): unknown => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: `plugin_fixture_${name}`, arguments: args },
});

test('answers requests that were piped in with the end of the input behind them, and exits', async () => {
  const { child, exited, messages } = startProcess();
  child.stdin.end([INITIALIZE, INITIALIZED, call(2, 'echo', { a: 1 })].map((message) => `${JSON.stringify(message)}\n`).join(''));
  expect(await exited).toBe(0);
  expect(messages.map(({ id }) => id)).toEqual([1, 2]);
  expect(messages[1]?.result).toMatchObject({ structuredContent: { a: 1 } });
});

test('exits when the input ends although a call would go on for long', async () => {
  const server = startProcess();
  server.send(INITIALIZE);
  server.send(INITIALIZED);
  server.send(call(2, 'slow'));
  await server.answer(1);
  const begun = performance.now();
  server.child.stdin.end();
  expect(await server.exited).toBe(0);
  expect(performance.now() - begun).toBeLessThan(5000);
});

test('exits when nobody reads its output any more', async () => {
  const server = startProcess();
  server.send(INITIALIZE);
  await server.answer(1);
  server.child.stdout.destroy();
  const timer = setInterval(() => server.send(call(2, 'echo')), 20);
  onTestFinished(() => clearInterval(timer));
  server.child.stdin.on('error', () => {});
  expect(await server.exited).toBe(0);
});

test('lives on after lines that are no messages, and after one that is too long', async () => {
  const server = startProcess();
  server.send('this is no JSON');
  server.send('{"hello":1}');
  server.send(`{"jsonrpc":"2.0","id":9,"method":"ping","params":{"x":"${'x'.repeat(5 * 1024 * 1024)}"}}`);
  server.send(INITIALIZE);
  server.send({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: {} });
  server.send({ jsonrpc: '2.0', id: 4, method: 'no/such/method' });
  server.send({ jsonrpc: '2.0', id: 5, method: 'resources/read', params: { uri: 5 } });
  server.send(
    `{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"plugin_fixture_echo","arguments":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}}`,
  );
  server.send(call(7, 'echo', { ok: true }));
  expect(await server.answer(7)).toMatchObject({ result: { structuredContent: { ok: true } } });
  const codes = server.messages.filter(({ id }) => id === null).map(({ error }) => error?.code);
  expect(codes).toEqual([-32_700, -32_600, -32_600]);
  expect((await server.answer(3)).error?.code).toBe(-32_602);
  expect((await server.answer(4)).error?.code).toBe(-32_601);
  expect((await server.answer(5)).error?.code).toBe(-32_602);
});

test('asks clients of before 2025-11-25 with enumNames', async () => {
  const server = startProcess();
  server.send(INITIALIZE);
  server.send(INITIALIZED);
  server.send(call(2, 'approve', { x: 1 }));
  const isQuestion = ({ method }: Message): boolean => method === 'elicitation/create';
  await expect.poll(() => server.messages.some(isQuestion)).toBe(true);
  const question = server.messages.find(isQuestion);
  expect(question?.params).toMatchObject({
    requestedSchema: {
      properties: { decision: { enum: ['once', 'always', 'no'], enumNames: ['Yes, this once', 'Yes, for this plugin from now on', 'No'] } },
    },
  });
  server.send({ jsonrpc: '2.0', id: question?.id, result: { action: 'accept', content: { decision: 'once' } } });
  expect(await server.answer(2)).toMatchObject({ result: { content: [{ text: 'answer: once' }] } });
});

test('sends no list_changed before the handshake is complete', async () => {
  const server = startProcess();
  server.send(INITIALIZE);
  server.send(call(2, 'reload'));
  await server.answer(2);
  server.send(INITIALIZED);
  server.send(call(3, 'reload'));
  await server.answer(3);
  await expect.poll(() => server.messages.filter(({ method }) => method === 'notifications/tools/list_changed').length).toBe(1);
});
