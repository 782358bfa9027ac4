import { expect, test } from 'vitest';

import type { CallAnswer, CallRequest, Dispatch } from '../../../src/dispatch/outcome.ts';
import type { PlannedTrial } from '../../../src/trials/plan-trials.ts';
import { runTrials, type TrialReport } from '../../../src/trials/run-trials.ts';
import { makeOutcome, makePlugin, makeTool } from '../../helpers/mcp-fixture.ts';

const CALLER = { client: 'cli', clientVersion: '1', transport: 'cli', principal: 'tester' } as const;
const tool = makeTool(makePlugin('tried'), 'run');
const trial = (source: string, timeoutMs?: number): PlannedTrial => ({
  kind: 'run',
  trial: { source, tool, arguments: {}, test: { arguments: {}, ...(timeoutMs === undefined ? {} : { timeoutMs }) } },
});

/** A dispatch whose calls are answered by `answer`. */
const dispatchWith = (answer: (request: CallRequest) => CallAnswer | Promise<CallAnswer>): Dispatch => ({
  mayAsk: () => false,
  call: async (request) => answer(request),
});

test('runTrials() runs one after the other, asks nobody, and tells of each as it ends', async () => {
  const told: TrialReport[] = [];
  const asked: boolean[] = [];
  const dispatch = dispatchWith(({ canAsk }) => {
    asked.push(canAsk);
    const logs = [{ level: 'info' as const, message: 'x'.repeat(1_000) }];
    const content = [
      { type: 'text' as const, text: 'y'.repeat(3_000) },
      { type: 'text' as const, text: 'Warnings:\n- a file is missing' },
    ];
    return { kind: 'done', outcome: makeOutcome({ logs, content }) };
  });
  const planned: PlannedTrial[] = [trial('a'), { kind: 'skip', source: 'derived', command: 'b', reason: 'why not' }, trial('c')];
  const reports = await runTrials(planned, {
    dispatch,
    caller: CALLER,
    signal: new AbortController().signal,
    onReport: (one) => told.push(one),
  });
  expect(reports).toMatchObject([
    { source: 'a', status: 'ok', warnings: ['a file is missing'] },
    { source: 'derived', command: 'b', status: 'not-run', reason: 'why not' },
    { source: 'c', status: 'ok' },
  ]);
  expect(reports[0]?.run?.preview).toHaveLength(2_000);
  expect(reports[0]?.run?.log[0]).toHaveLength(500);
  expect(told).toEqual(reports);
  expect(asked).toEqual([false, false]);
});

test('runTrials() ends a run at the test’s own limit, and says so', async () => {
  const dispatch = dispatchWith(
    ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ kind: 'done', outcome: makeOutcome({ kind: 'cancelled' }) }), { once: true });
      }),
  );
  const reports = await runTrials([trial('slow', 10)], { dispatch, caller: CALLER, signal: new AbortController().signal });
  expect(reports).toMatchObject([{ status: 'failed', reason: 'it took longer than timeoutMs, 10 ms' }]);
});

test('runTrials() begins nothing after it was cancelled', async () => {
  const stop = new AbortController();
  const dispatch = dispatchWith(() => {
    stop.abort();
    return { kind: 'done', outcome: makeOutcome({ kind: 'cancelled', error: { code: 'DISPATCH_CANCELLED', message: 'withdrawn' } }) };
  });
  const reports = await runTrials([trial('a'), trial('b')], { dispatch, caller: CALLER, signal: stop.signal });
  expect(reports).toMatchObject([
    { source: 'a', status: 'failed', reason: 'DISPATCH_CANCELLED: withdrawn' },
    { source: 'b', status: 'not-run', reason: 'the runs were ended before it' },
  ]);
});
