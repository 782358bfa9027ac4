import { describe, test } from 'vitest';

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
const TIMEOUT_MS = 300;
/** The goal is 100 (sandbox.md §D row 35); machines that run other things too get more. */
const MAX_OVERSHOOT_MS = 500;
const hostScript = useHostScript();

describe.skipIf(!HAS_BUBBLEWRAP)('endless guests', () => {
  test.for([
    ['loops-forever', 'timed-out'],
    ['loops-by-br-table', 'timed-out'],
    ['loops-in-branch', 'timed-out'],
    ['fills-forever', 'timed-out'],
    ['fills-nothing-forever', 'timed-out'],
    ['copies-forever', 'timed-out'],
    ['copies-table', 'timed-out'],
    ['fills-table', 'timed-out'],
    ['inits-forever', 'timed-out'],
    ['grows-by-nothing', 'timed-out'],
    ['grows-forever', 'timed-out'],
    ['grows-table', 'timed-out'],
    ['loops-in-start', 'timed-out'],
    ['loops-in-alloc', 'timed-out'],
    ['recurses-widely', 'timed-out'],
    ['calls-host-forever', 'timed-out'],
    ['recurses-forever', 'EXECUTION_TRAPPED'],
  ] as const)('%s ends as %s in time, and the next call works', async ([name, expected], { expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    const [hostile, fine] = [await loadFixtureGuest(name), await writeGuest(WAT_FINE)];
    expect((await callPlugin(executor, fine)).result).toEqual(FINE);
    const { result, tookMs } = await callPlugin(executor, hostile, { limits: { timeoutMs: TIMEOUT_MS, hostCalls: 100_000_000 } });
    expect(result.kind === 'failed' ? result.code : result.kind).toBe(expected);
    process.stderr.write(`${name}: ${(tookMs - TIMEOUT_MS).toFixed(0)} ms after the deadline, ${describeLimit(result)}\n`);
    expect(tookMs).toBeLessThan(TIMEOUT_MS + MAX_OVERSHOOT_MS);
    expect((await callPlugin(executor, fine)).result).toEqual(FINE);
  });

  const describeLimit = (result: { kind: string; limit?: string }): string => result.limit ?? result.kind;

  test('the deadline says which limit it was', async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    const { result, usage } = await callPlugin(executor, await loadGuestPlugin('says-it-loops'), { limits: { timeoutMs: TIMEOUT_MS } });
    // Either may come first on a quick machine, for fuel is given by the millisecond.
    expect(result).toMatchObject({ kind: 'timed-out', limit: expect.stringMatching(/^(timeoutMs|fuel)$/) as string });
    expect(usage.hostCalls).toBe(1);
  });

  test.for([
    ['keeps-state', '11'],
    ['grows-to-the-cap', '64'],
  ] as const)('fuel of %s is the same for every call, host and executor', async ([name, text], { expect }) => {
    const plugin = await loadGuestPlugin(name);
    const counts = new Set<number | undefined>();
    for (let round = 0; round < 2; round++) {
      const { executor, started } = useWasmExecutor(hostScript(), { hosts: 2 });
      for (let call = 0; call < 3; call++) {
        const reports = await Promise.all([0, 1].map(() => callPlugin(executor, plugin, { args: { same: 'input' }, root: '/usr' })));
        for (const { result, usage } of reports) {
          expect(result).toEqual({ kind: 'ok', output: { text } });
          counts.add(usage.fuel);
        }
      }
      expect(started).toHaveLength(2);
      await executor.close();
    }
    expect(counts.size).toBe(1);
    expect([...counts][0]).toBeGreaterThan(0);
  });

  test('neither globals nor memory live on, not even after a trap', async ({ expect }) => {
    const { executor, started } = useWasmExecutor(hostScript());
    const plugin = await loadGuestPlugin('keeps-state');
    const outcomes = [];
    for (const args of [{}, {}, { trap: true }, {}, { trap: true }, { trap: true }, {}]) {
      const { result } = await callPlugin(executor, plugin, { args });
      outcomes.push(
        result.kind === 'ok' ? result.output.text : result.kind === 'failed' ? `${result.code}: ${result.message}` : result.kind,
      );
    }
    const trapped = 'EXECUTION_TRAPPED: the plugin trapped: unreachable';
    expect(outcomes).toEqual(['11', '11', trapped, '11', trapped, trapped, '11']);
    // A trap is no reason to start another process.
    expect(started).toHaveLength(1);
  });
});
