import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { pino } from 'pino';
import { describe, test, vi } from 'vitest';

import { describeHostProcess } from '../../src/executors/wasm/host-process.ts';
import { createHostPool } from '../../src/executors/wasm/pool.ts';
import { isRunning } from '../helpers/processes.ts';
import { HAS_BUBBLEWRAP, useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';
import { callPlugin, useWasmExecutor, WAT_FINE, writeGuest } from '../helpers/wasm-guests.ts';

/** The stand-in, outside the repository, for its package.json makes files of it modules. */
function placeBrokenHost(): string {
  const script = join(useTmp(), 'wasm-host.js');
  copyFileSync(new URL('../fixtures/broken-wasm-host.js', import.meta.url), script);
  return script;
}

function placeScript(text: string): string {
  const script = join(useTmp(), 'wasm-host.js');
  writeFileSync(script, text);
  return script;
}

const LIMITS = { timeoutMs: 5000, hostCalls: 100, logBytes: 1000 };
const BROKE = 'the plugin’s process died: the host process broke its protocol: ';

describe.skipIf(!HAS_BUBBLEWRAP)('a host process that breaks the protocol', () => {
  test.for([
    ['with noise', `${BROKE}frame of 1819043144 bytes`],
    ['with a frame of no bytes', `${BROKE}frame of 0 bytes`],
    ['with a result that is cut short', `${BROKE}Attempt to access memory outside buffer bounds`],
    ['with an unknown status', `${BROKE}a result of status 99`],
    ['with fuel that is no number', `${BROKE}a result of NaN fuel`],
    ['with a structured answer that is no JSON', `${BROKE}Expected ',' or '}'`],
    ['with a structured answer that is a list', `${BROKE}a structured result without an object`],
    ['with an unknown frame', `${BROKE}frame 77`],
    ['with a string that is cut short', `${BROKE}a string that ends 254 bytes after its frame`],
    ['with an empty host call', `${BROKE}Attempt to access memory outside buffer bounds`],
    ['with two host calls at once', `${BROKE}frame 17 before it had its reply`],
    ['with an answer while it waits', `${BROKE}frame 19 before it had its reply`],
    ['with more host calls than it may make', `${BROKE}more host calls than it may make`],
    ['with more log than it may write', `${BROKE}more log than it may write`],
    ['by ending', 'the plugin’s process died: the host process ended with code 7'],
  ] as const)('%s is killed, its call fails, and the next works', async ([how, message], { expect }) => {
    const { executor, started } = useWasmExecutor(placeBrokenHost());
    const guest = await writeGuest(WAT_FINE);
    const report = await callPlugin(executor, guest, { args: { how }, limits: LIMITS });
    // The parser’s own words differ between versions of Node.js.
    const start = message.startsWith(`${BROKE}Expected`) ? BROKE : message;
    expect(report.result).toMatchObject({ kind: 'failed', code: 'EXECUTION_DIED', message: expect.stringContaining(start) as string });
    expect(report.logs.length).toBeLessThanOrEqual(2);
    expect(isRunning(started[0]?.pid ?? 0)).toBe(false);
    const next = await callPlugin(executor, guest, { args: { how: 'properly' }, limits: LIMITS });
    expect(next.result).toEqual({ kind: 'ok', output: { text: 'fine' } });
  });

  test('by answering twice is killed after its first answer, and the next works', async ({ expect }) => {
    const { executor, started } = useWasmExecutor(placeBrokenHost());
    const guest = await writeGuest(WAT_FINE);
    const first = await callPlugin(executor, guest, { args: { how: 'by answering twice' }, limits: LIMITS });
    expect(first.result).toEqual({ kind: 'ok', output: { text: 'fine' } });
    await vi.waitFor(() => expect(isRunning(started[0]?.pid ?? 0)).toBe(false));
    const next = await callPlugin(executor, guest, { args: { how: 'properly' }, limits: LIMITS });
    expect(next.result).toEqual({ kind: 'ok', output: { text: 'fine' } });
  });

  test.for([
    ['ends at once', 'process.stderr.write("out of luck"); process.exit(3)', 'the host process ended with code 3: out of luck'],
    ['writes noise first', 'process.stdout.write("noise noise noise"); setTimeout(() => {}, 60000)', 'frame of 1936289646 bytes'],
  ] as const)('that %s leaves every waiting call with the reason', async ([, script, reason], { expect }) => {
    const { executor } = useWasmExecutor(placeScript(script), { hosts: 2 });
    const guest = await writeGuest(WAT_FINE);
    for (const { result } of await Promise.all([1, 2, 3].map(() => callPlugin(executor, guest, { limits: LIMITS })))) {
      expect(result).toMatchObject({
        kind: 'failed',
        code: 'EXECUTION_NO_HOST',
        message: expect.stringMatching(/^no host process could be started: /) as string,
      });
      expect(result).toMatchObject({ message: expect.stringContaining(reason) as string });
    }
  });

  test('that dies as soon as it is ready is not started again and again', async ({ expect }) => {
    const ready = 'process.stdout.write(Buffer.of(1, 0, 0, 0, 16), () => process.exit(0))';
    const { executor, started, attempts } = useWasmExecutor(placeScript(ready), { hosts: 2 });
    executor.warm();
    await vi.waitFor(() => expect(started).toHaveLength(2), { timeout: 5000 });
    await Promise.all(started.map(({ exited }) => exited));
    // The pool has heard of the deaths by now, and would have asked for others in the same moment.
    await new Promise((resolve) => setImmediate(resolve));
    expect(attempts()).toBe(2);
    expect(started).toHaveLength(2);
  });

  test('that never gets ready is killed, and whoever waits for it learns so', async ({ expect }) => {
    const sandbox = useSandbox();
    const script = placeScript('setInterval(() => {}, 1000)');
    const pids: number[] = [];
    const pool = createHostPool({
      size: 1,
      maxSize: 2,
      startMs: 300,
      log: pino({ level: 'silent' }),
      async spawn() {
        const process = await sandbox.spawn(describeHostProcess(script));
        pids.push(process.pid);
        return process;
      },
    });
    await expect(pool.acquire('any', new AbortController().signal)).rejects.toThrow('it was not ready within 300 ms');
    expect(pids.filter(isRunning)).toEqual([]);
    await pool.close();
  });

  test('close() waits for hosts that are still starting', async ({ expect }) => {
    const { executor, started } = useWasmExecutor(placeBrokenHost(), { hosts: 3 });
    executor.warm();
    await vi.waitFor(() => expect(started.length).toBeGreaterThan(0), { timeout: 5000 });
    await executor.close();
    expect(started.filter(({ pid }) => isRunning(pid))).toEqual([]);
  });
});
