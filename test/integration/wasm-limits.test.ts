import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { describe, onTestFinished, test, vi } from 'vitest';

import { listDescendants, listProcesses } from '../helpers/processes.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';
import {
  callPlugin,
  loadFixtureGuest,
  loadGuestPlugin,
  useHostScript,
  useWasmExecutor,
  WAT_ALLOC,
  WAT_FINE,
  watAnswering,
  watString,
  writeGuest,
} from '../helpers/wasm-guests.ts';

const MIB = 1024 * 1024;
const FINE = { kind: 'ok', output: { text: 'fine' } };
const hostScript = useHostScript();

/** Resident memory of the Node.js inside a host process, in MiB. */
function residentMiB(pid: number): number {
  const inner = listDescendants(pid).at(-1) ?? pid;
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${inner}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

describe.skipIf(!HAS_BUBBLEWRAP)('limits of a WASM call', () => {
  test.for([
    ['as large as the limit', 32, FINE],
    [
      'one byte larger',
      31,
      { kind: 'failed', code: 'EXECUTION_OUTPUT_TOO_LARGE', message: 'the answer is too large: 32 bytes, the limit is 31' },
    ],
  ] as const)('an answer %s', async ([, outputBytes, expected], { expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    expect((await callPlugin(executor, await writeGuest(WAT_FINE), { limits: { outputBytes } })).result).toEqual(expected);
  });

  test('an answer that claims 64 MiB is refused by its length', async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    const guest = await writeGuest(
      watAnswering('', { pointer: 0, length: 64 * MIB }).replace('(memory (export "memory") 17)', '(memory (export "memory") 1024)'),
    );
    expect((await callPlugin(executor, guest)).result).toEqual({
      kind: 'failed',
      code: 'EXECUTION_OUTPUT_TOO_LARGE',
      message: `the answer is too large: ${64 * MIB} bytes, the limit is ${16 * MIB}`,
    });
  });

  test('a flood of log lines is kept up to the limit, counted beyond it, and no fault of the answer', async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    const { result, usage, logs } = await callPlugin(executor, await loadGuestPlugin('floods-log'), { limits: { logBytes: 2500 } });
    expect(result).toEqual({ kind: 'ok', output: { text: 'logged' } });
    expect(logs.map(({ level, message }) => `${level} ${message.length}`)).toEqual(['info 1000', 'info 1000', 'info 500']);
    expect(usage).toMatchObject({ logBytesDropped: 497_500, hostCalls: 500 });
  });

  test.for([
    [500, 'ok'],
    [499, 'failed'],
  ] as const)('%i host calls for a guest that makes 500: %s', async ([hostCalls, kind], { expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    const { result } = await callPlugin(executor, await loadGuestPlugin('floods-log'), { limits: { hostCalls } });
    expect(result.kind).toBe(kind);
    if (result.kind === 'failed') {
      expect(result.code).toBe('EXECUTION_HOST_CALLS');
      expect(result.message).toBe('the plugin asks too much of the host: 500 host calls, the limit is 499');
    }
  });

  test('host calls without end stop at the limit, also those made from "alloc"', async ({ expect }) => {
    const { executor, started } = useWasmExecutor(hostScript());
    const recursing = await writeGuest(`(module (import "az" "now" (func $now (result i64))) (memory (export "memory") 1)
      (func (export "alloc") (param i32) (result i32) (loop $again (drop (call $now)) (br $again)) (i32.const 0))
      (func (export "run") (param i32 i32) (result i64) (i64.const 0)))`);
    for (const guest of [await loadFixtureGuest('calls-host-forever'), recursing]) {
      const { result, usage } = await callPlugin(executor, guest, { limits: { hostCalls: 5000 } });
      expect(result).toMatchObject({ kind: 'failed', code: 'EXECUTION_HOST_CALLS' });
      expect(usage.hostCalls).toBeLessThanOrEqual(5010);
    }
    expect(started).toHaveLength(1);
  });

  test('memory grows to the cap and no further', async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    const plugin = await loadGuestPlugin('grows-to-the-cap');
    expect((await callPlugin(executor, plugin)).result).toEqual({ kind: 'ok', output: { text: '64' } });
    const { result } = await callPlugin(executor, plugin, { limits: { memoryBytes: 16 * MIB } });
    expect(result).toEqual({ kind: 'ok', output: { text: '16' } });
  });

  test('200 calls that each fill 64 MiB leave the host process alive and bounded', { timeout: 120_000 }, async ({ expect }) => {
    const { executor, started } = useWasmExecutor(hostScript());
    const plugin = await loadGuestPlugin('grows-to-the-cap');
    let most = 0;
    for (let call = 0; call < 200; call++) {
      expect((await callPlugin(executor, plugin)).result).toEqual({ kind: 'ok', output: { text: '64' } });
      if (call % 10 === 9) most = Math.max(most, residentMiB(started[0]?.pid ?? 0));
    }
    process.stderr.write(`200 calls of 64 MiB: resident at most ${most.toFixed(0)} MiB, ${started.length} host process(es)\n`);
    expect(started).toHaveLength(1);
    expect(most).toBeLessThan(1024);
  });

  test('a request of 5 MB arrives whole', async ({ expect }) => {
    const { executor, started } = useWasmExecutor(hostScript());
    const plugin = await loadGuestPlugin('measures-its-request');
    const args = { text: 'é"\n'.repeat(800_000) };
    const length = Buffer.byteLength(JSON.stringify({ ...args, action: 'go', root: plugin.directory }));
    const { result, usage } = await callPlugin(executor, plugin, { args });
    expect(length).toBeGreaterThan(4_800_000);
    expect(result).toEqual({ kind: 'ok', output: { text: `${String(length).padStart(8, '0')} {}` } });
    expect(usage.bytesIn).toBe(length);
    expect(started).toHaveLength(1);
  });

  test('a request larger than the memory is the guest’s fault, said so', async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    const { result } = await callPlugin(executor, await writeGuest(WAT_FINE), {
      args: { text: 'x'.repeat(3 * MIB) },
      limits: { memoryBytes: 2 * MIB },
    });
    expect(result).toMatchObject({
      kind: 'failed',
      code: 'EXECUTION_BAD_OUTPUT',
      message: expect.stringMatching(/^the plugin broke its contract: "alloc" gave no room for a request of 314\d+ bytes$/) as string,
    });
  });

  test('an import that is given more than a frame can hold answers with its error value', async ({ expect }) => {
    const { executor, started } = useWasmExecutor(hostScript());
    const root = useTmp();
    const { result } = await callPlugin(executor, await loadGuestPlugin('writes-more-than-a-frame'), {
      root,
      permit: () => ({ allowed: true }),
    });
    expect(result).toEqual({ kind: 'ok', output: { text: '1' } });
    expect(existsSync(join(root, 'file'))).toBe(false);
    expect(started).toHaveLength(1);
  });

  test('the request that runs for a guest ends at its deadline', async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    const server = createServer(() => undefined);
    onTestFinished(() => void server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const guest = await writeGuest(`(module
      (import "az" "http_request" (func $http (param i32 i32 i32 i32 i32 i32 i32 i32) (result i64)))
      (memory (export "memory") 17) (data (i32.const 0) "${url}") (data (i32.const 500) "GET{}") ${WAT_ALLOC}
      (func (export "run") (param i32 i32) (result i64)
        (call $http (i32.const 0) (i32.const ${url.length}) (i32.const 500) (i32.const 3) (i32.const 503) (i32.const 2) (i32.const 0) (i32.const 0))))`);
    await callPlugin(executor, await writeGuest(WAT_FINE));
    const closed = new Promise((resolve) => server.once('connection', (socket) => socket.once('close', resolve)));
    const { result, tookMs, usage } = await callPlugin(executor, guest, { limits: { timeoutMs: 400 }, permit: () => ({ allowed: true }) });
    expect(result).toMatchObject({ kind: 'timed-out', limit: 'timeoutMs' });
    expect(usage.hostCalls).toBe(1);
    expect(tookMs).toBeLessThan(2000);
    await closed;
  });

  test.for(['its deadline', 'its cancellation'])('the command that runs for a guest ends with %s', async (end, { expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    const args = `["${(600 + Math.random()).toFixed(9)}"]`;
    const isSleeping = (): boolean => listProcesses().some(({ commandLine }) => commandLine.includes(`sleep ${JSON.parse(args)[0]}`));
    const guest = await writeGuest(`(module
      (import "az" "run_command" (func $command (param i32 i32 i32 i32) (result i64)))
      (memory (export "memory") 17) (data (i32.const 0) "sleep") (data (i32.const 100) "${watString(args)}") ${WAT_ALLOC}
      (func (export "run") (param i32 i32) (result i64)
        (call $command (i32.const 0) (i32.const 5) (i32.const 100) (i32.const ${args.length}))))`);
    await callPlugin(executor, await writeGuest(WAT_FINE));
    const stop = new AbortController();
    const timeoutMs = end === 'its deadline' ? 1500 : 9000;
    const calling = callPlugin(executor, guest, {
      limits: { timeoutMs },
      root: useTmp(),
      signal: stop.signal,
      permit: () => ({ allowed: true }),
    });
    await vi.waitFor(() => expect(isSleeping()).toBe(true), { timeout: 1400 });
    if (end === 'its cancellation') stop.abort();
    const { result } = await calling;
    expect(result.kind).toBe(end === 'its deadline' ? 'timed-out' : 'cancelled');
    // Already when the call has ended, not only some time later.
    expect(isSleeping()).toBe(false);
  });

  test('rewritten modules are kept on disk, for their owner alone', async ({ expect }) => {
    const { executor, cacheDirectory } = useWasmExecutor(hostScript());
    const guest = await writeGuest(WAT_FINE);
    expect((await callPlugin(executor, guest)).result).toEqual(FINE);
    expect(statSync(join(cacheDirectory, 'wasm')).mode & 0o777).toBe(0o700);
  });
});
