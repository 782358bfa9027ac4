import { setTimeout as delay } from 'node:timers/promises';

import { describe, test, vi } from 'vitest';

import { isRunning, listDescendants } from '../helpers/processes.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import {
  callPlugin,
  loadFixtureGuest,
  loadGuestPlugin,
  useHostScript,
  useWasmExecutor,
  WAT_FINE,
  writeGuest,
} from '../helpers/wasm-guests.ts';

const FINE = { kind: 'ok', output: { text: 'fine' } };
const hostScript = useHostScript();

describe.skipIf(!HAS_BUBBLEWRAP)('host processes of WASM plugins', () => {
  test('a crowd of endless calls never keeps another plugin waiting, and never gets more hosts', async ({ expect }) => {
    const { executor, started } = useWasmExecutor(hostScript(), { hosts: 2 });
    const [hostile, fine] = [await loadFixtureGuest('loops-forever'), await writeGuest(WAT_FINE)];
    await callPlugin(executor, fine);
    const stop = new AbortController();
    const timeoutMs = 6000;
    const crowd = Array.from({ length: 10 }, () =>
      callPlugin(executor, hostile, { limits: { timeoutMs }, signal: AbortSignal.any([stop.signal]) }),
    );
    const from = performance.now();
    const times: number[] = [];
    let most = 0;
    for (let call = 0; call < 24; call++) {
      const { result, tookMs } = await callPlugin(executor, fine);
      expect(result).toEqual(FINE);
      times.push(tookMs);
      most = Math.max(most, started.filter(({ pid }) => isRunning(pid)).length);
    }
    const allMs = performance.now() - from;
    times.sort((a, b) => a - b);
    process.stderr.write(`beside 10 endless calls: p50 ${times[12]?.toFixed(1)} ms, worst ${times.at(-1)?.toFixed(1)} ms\n`);
    expect(allMs).toBeLessThan(timeoutMs / 2);
    // Two for the crowd, one for the other plugin.
    expect(most).toBeLessThanOrEqual(3);
    stop.abort();
    for (const { result } of await Promise.all(crowd)) expect(result).toEqual({ kind: 'cancelled' });
  });

  test('four plugins that never end, three calls each, leave room for a fifth', { timeout: 60_000 }, async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript(), { hosts: 1 });
    const stop = new AbortController();
    const hostile = await Promise.all(Array.from({ length: 4 }, (_, n) => writeGuest(LOOPING.replace('NUMBER', String(n)))));
    let begun = 0;
    const calls = hostile.flatMap((plugin) =>
      Array.from({ length: 3 }, () =>
        callPlugin(executor, plugin, { limits: { timeoutMs: 20_000 }, signal: AbortSignal.any([stop.signal]), onLog: () => void begun++ }),
      ),
    );
    const fine = await writeGuest(WAT_FINE);
    const { result, tookMs } = await callPlugin(executor, fine);
    expect(result).toEqual(FINE);
    expect(tookMs).toBeLessThan(10_000);
    // Each of the four got one of its three; nobody got a second one before the others had a first.
    await vi.waitFor(() => expect(begun).toBe(4), { timeout: 10_000 });
    stop.abort();
    await Promise.all(calls);
  });

  test('a killed host is replaced at once', async ({ expect }) => {
    const { executor, started } = useWasmExecutor(hostScript());
    const { result } = await callPlugin(executor, await loadFixtureGuest('loops-forever'), { limits: { timeoutMs: 200 } });
    expect(result.kind).toBe('timed-out');
    await vi.waitFor(() => expect(started).toHaveLength(2), { timeout: 5000 });
    expect(isRunning(started[0]?.pid ?? 0)).toBe(false);
    expect((await callPlugin(executor, await writeGuest(WAT_FINE))).result).toEqual(FINE);
    expect(started).toHaveLength(2);
  });

  test.for(['the sandbox', 'Node.js inside it'])(
    'a call whose process dies (SIGKILL to %s) fails, and the next works',
    async (whom, { expect }) => {
      const { executor, started } = useWasmExecutor(hostScript());
      const { result, usage } = await callPlugin(executor, await loadGuestPlugin('says-it-loops'), {
        onLog() {
          const pid = started[0]?.pid ?? 0;
          process.kill(whom === 'the sandbox' ? pid : (listDescendants(pid).at(-1) ?? 0), 'SIGKILL');
        },
      });
      expect(result).toMatchObject({
        kind: 'failed',
        code: 'EXECUTION_DIED',
        message: expect.stringMatching(/^the plugin’s process died: the host process ended with (SIGKILL|code 137)/) as string,
      });
      expect(usage.hostCalls).toBe(1);
      expect((await callPlugin(executor, await writeGuest(WAT_FINE))).result).toEqual(FINE);
    },
  );

  test('an idle host that is killed from outside is replaced', async ({ expect }) => {
    const { executor, started } = useWasmExecutor(hostScript());
    const fine = await writeGuest(WAT_FINE);
    await callPlugin(executor, fine);
    process.kill(started[0]?.pid ?? 0, 'SIGKILL');
    await vi.waitFor(() => expect(started).toHaveLength(2));
    expect((await callPlugin(executor, fine)).result).toEqual(FINE);
  });

  test('cancelling kills the process that runs', async ({ expect }) => {
    const { executor, started } = useWasmExecutor(hostScript());
    const stop = new AbortController();
    let from = 0;
    let inside: number[] = [];
    const { result } = await callPlugin(executor, await loadGuestPlugin('says-it-loops'), {
      signal: stop.signal,
      onLog() {
        inside = listDescendants(started[0]?.pid ?? 0);
        from = performance.now();
        stop.abort();
      },
    });
    const tookMs = performance.now() - from;
    process.stderr.write(`cancelled: gone after ${tookMs.toFixed(0)} ms\n`);
    expect(result).toEqual({ kind: 'cancelled' });
    expect(inside.length).toBeGreaterThan(0);
    expect([started[0]?.pid ?? 0, ...inside].filter(isRunning)).toEqual([]);
    expect(tookMs).toBeLessThan(500);
  });

  test('cancelling while the call waits for a host takes it out of the queue and disturbs nobody', async ({ expect }) => {
    const { executor, started } = useWasmExecutor(hostScript());
    const hostile = await loadGuestPlugin('says-it-loops');
    const [first, second] = [new AbortController(), new AbortController()];
    const begun = new Promise<void>((resolve) => {
      void callPlugin(executor, hostile, { signal: first.signal, onLog: () => resolve() }).then((report) => (ended = report));
    });
    let ended: Awaited<ReturnType<typeof callPlugin>> | undefined;
    await begun;
    const queued = callPlugin(executor, hostile, { signal: second.signal });
    await delay(50);
    const from = performance.now();
    second.abort();
    expect((await queued).result).toEqual({ kind: 'cancelled' });
    expect(performance.now() - from).toBeLessThan(100);
    expect(ended).toBeUndefined();
    expect(isRunning(started[0]?.pid ?? 0)).toBe(true);
    first.abort();
    await vi.waitFor(() => expect(ended?.result).toEqual({ kind: 'cancelled' }));
  });

  test.for(['before the call', 'between the loan of a host and the start', 'right after the start'])(
    'cancelling %s runs nothing to its end',
    async (when, { expect }) => {
      const { executor } = useWasmExecutor(hostScript());
      const hostile = await loadGuestPlugin('says-it-loops');
      // A host that is ready is lent at once, so that the call begins in the next turn.
      await callPlugin(executor, await writeGuest(WAT_FINE));
      const stop = new AbortController();
      if (when === 'before the call') stop.abort();
      const calling = callPlugin(executor, hostile, { signal: stop.signal, limits: { timeoutMs: 5000 } });
      if (when === 'between the loan of a host and the start') stop.abort();
      await Promise.resolve();
      stop.abort();
      const { result, tookMs } = await calling;
      expect(result).toEqual({ kind: 'cancelled' });
      expect(tookMs).toBeLessThan(2000);
    },
  );

  test('after close() calls are refused', async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    const fine = await writeGuest(WAT_FINE);
    await executor.close();
    expect((await callPlugin(executor, fine)).result).toEqual({
      kind: 'failed',
      code: 'EXECUTION_NO_HOST',
      message: 'no host process could be started: the server closes',
    });
  });

  test('a call that runs while the executor closes ends', async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    const { result } = await callPlugin(executor, await loadGuestPlugin('says-it-loops'), { onLog: () => void executor.close() });
    expect(result).toEqual({ kind: 'failed', code: 'EXECUTION_DIED', message: 'the plugin’s process died: the server closes' });
  });
});

const LOOPING = `(module
  (import "az" "log" (func $log (param i32 i32)))
  (memory (export "memory") 1) (data (i32.const 0) "NUMBER")
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "run") (param i32 i32) (result i64) (call $log (i32.const 0) (i32.const 1)) (loop $again (br $again)) (i64.const 0)))`;
