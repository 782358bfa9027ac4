import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { describe, onTestFinished, test, vi } from 'vitest';

import { bundleProgram } from '../helpers/bundle.ts';
import { isRunning, listDescendants, listProcesses } from '../helpers/processes.ts';
import { HAS_BUBBLEWRAP, useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';
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
const UNBOXED = { unboxed: 'when-missing', programs: { bwrap: '/nonexistent' } } as const;
const hostScript = useHostScript();

/** Our children, but for the compiler that builds the host script, and the launcher, which ends with the sandbox. */
const listChildren = (): number[] =>
  listProcesses()
    .filter(({ parent, commandLine }) => parent === process.pid && !/esbuild|plugbridge-launcher/.test(commandLine))
    .map(({ pid }) => pid);
const countDescriptors = (): number => readdirSync('/proc/self/fd').length;
const listCgroups = (pid: number): string[] =>
  ['/sys/fs/cgroup', '/sys/fs/cgroup/pids', '/sys/fs/cgroup/memory'].flatMap((directory) =>
    existsSync(directory) ? readdirSync(directory).filter((name) => name.startsWith(`plugbridge-${pid}.`)) : [],
  );
const percentile = (sorted: readonly number[], share: number): string => (sorted[Math.floor(sorted.length * share)] ?? NaN).toFixed(2);

describe.skipIf(!HAS_BUBBLEWRAP)('what WASM calls leave behind', () => {
  test(
    '1,000 calls leave as many descriptors as before, and close() no process, directory or control group',
    { timeout: 120_000 },
    async ({ expect }) => {
      vi.stubEnv('TMPDIR', useTmp());
      onTestFinished(() => void vi.unstubAllEnvs());
      const before = { children: listChildren(), groups: listCgroups(process.pid) };
      const { executor, started, closeSandbox } = useWasmExecutor(hostScript(), { hosts: 2 });
      const fine = await writeGuest(WAT_FINE);
      const kept = readdirSync(tmpdir());
      const from = performance.now();
      await callPlugin(executor, fine);
      process.stderr.write(`first call, with probe and start: ${(performance.now() - from).toFixed(0)} ms\n`);
      for (let call = 0; call < 50; call++) await callPlugin(executor, fine);
      const descriptors = countDescriptors();
      const times: number[] = [];
      for (let call = 0; call < 1000; call++) {
        const { result, tookMs } = await callPlugin(executor, fine);
        expect(result).toEqual(FINE);
        times.push(tookMs);
      }
      times.sort((a, b) => a - b);
      process.stderr.write(`1,000 calls: p50 ${percentile(times, 0.5)} ms, p99 ${percentile(times, 0.99)} ms\n`);
      expect(countDescriptors()).toBe(descriptors);
      expect(started.length).toBeLessThanOrEqual(2);

      for (const timeoutMs of [50, 60, 70]) await callPlugin(executor, await loadFixtureGuest('loops-forever'), { limits: { timeoutMs } });
      expect((await callPlugin(executor, fine)).result).toEqual(FINE);
      await executor.close();
      expect(started.filter(({ pid }) => isRunning(pid))).toEqual([]);
      // What the sandbox keeps for the next start goes with it.
      await closeSandbox();
      expect(listChildren()).toEqual(before.children);
      expect(listCgroups(process.pid)).toEqual(before.groups);
      // What is there are the plugins of the test itself.
      expect(readdirSync(tmpdir()).filter((name) => !kept.includes(name) && !name.startsWith('plugbridge-test-'))).toEqual([]);
    },
  );

  test('hosts that are killed and replaced leave no descriptors', { timeout: 60_000 }, async ({ expect }) => {
    const { executor, started } = useWasmExecutor(hostScript());
    const [hostile, fine] = [await loadFixtureGuest('loops-forever'), await writeGuest(WAT_FINE)];
    await callPlugin(executor, hostile, { limits: { timeoutMs: 20 } });
    expect((await callPlugin(executor, fine)).result).toEqual(FINE);
    const descriptors = countDescriptors();
    const times: number[] = [];
    for (let call = 0; call < 10; call++) {
      await callPlugin(executor, hostile, { limits: { timeoutMs: 20 } });
      const { tookMs } = await callPlugin(executor, fine);
      times.push(tookMs);
    }
    times.sort((a, b) => a - b);
    process.stderr.write(`call that waits for a new host: p50 ${percentile(times, 0.5)} ms, worst ${percentile(times, 0.99)} ms\n`);
    expect(started).toHaveLength(12);
    expect(countDescriptors()).toBe(descriptors);
    expect(started.slice(0, -1).filter(({ pid }) => isRunning(pid))).toEqual([]);
  });

  test.for(['boxed', 'unboxed'])(
    'a server that is killed in the middle of endless calls leaves nothing (%s)',
    { timeout: 60_000 },
    async (mode, { expect }) => {
      const program = await bundleProgram(new URL('../fixtures/wasm-server.ts', import.meta.url).pathname, useTmp());
      const plugin = await loadGuestPlugin('says-it-loops');
      const server = spawn(process.execPath, [program, hostScript(), plugin.directory, useTmp(), mode], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      for await (const chunk of server.stdout.iterator({ destroyOnReturn: false })) {
        said += String(chunk);
        if (said.split('looping').length > 2) break;
      }
      const started = listDescendants(server.pid ?? 0);
      expect(started.length).toBeGreaterThanOrEqual(2);
      server.kill('SIGKILL');
      await once(server, 'exit');
      const from = performance.now();
      // Nobody sweeps: bubblewrap’s --die-with-parent and setpriv’s --pdeathsig end what loops.
      await vi.waitFor(() => expect(started.filter(isRunning)).toEqual([]), { timeout: 5000, interval: 5 });
      process.stderr.write(`${mode}: all ${started.length} gone ${(performance.now() - from).toFixed(0)} ms after the server\n`);
      const next = useSandbox();
      // Empty control groups stay until somebody sweeps; the kernel counts the dead in them for a moment.
      await vi.waitFor(async () => {
        await next.sweep();
        expect(listCgroups(server.pid ?? 0)).toEqual([]);
      });
    },
  );
});

describe('WASM plugins without a sandbox', () => {
  test('run in plain processes that are killed like others', async ({ expect }) => {
    const { executor, started } = useWasmExecutor(hostScript(), { sandbox: UNBOXED });
    const fine = await writeGuest(WAT_FINE);
    const first = await callPlugin(executor, fine);
    expect(first.result).toEqual(FINE);
    expect(first.usage.tier).toBe('process');
    expect(await executor.tier()).toBe('process');
    const late = await callPlugin(executor, await loadFixtureGuest('fills-forever'), { limits: { timeoutMs: 300 } });
    expect(late.result.kind).toBe('timed-out');
    expect(late.tookMs).toBeLessThan(800);
    expect(isRunning(started[0]?.pid ?? 0)).toBe(false);
    const stop = new AbortController();
    const cancelled = await callPlugin(executor, await loadGuestPlugin('says-it-loops'), {
      signal: stop.signal,
      onLog: () => stop.abort(),
    });
    expect(cancelled.result).toEqual({ kind: 'cancelled' });
    expect((await callPlugin(executor, fine)).result).toEqual(FINE);
    await executor.close();
    expect(started.filter(({ pid }) => isRunning(pid))).toEqual([]);
  });

  test('are refused where nothing may run unisolated', async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript(), { sandbox: { programs: { bwrap: '/nonexistent' } } });
    expect((await callPlugin(executor, await writeGuest(WAT_FINE))).result).toMatchObject({ kind: 'failed', code: 'EXECUTION_NO_HOST' });
  });
});
