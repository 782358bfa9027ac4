import type { Artifact } from '../artifacts/artifact.ts';
import type { Caller, Content, Dispatch, Outcome } from '../dispatch/outcome.ts';
import { judgeRun, textOf } from './judge-run.ts';
import type { Difference } from './match-expected.ts';
import type { PlannedTrial, Trial } from './plan-trials.ts';

/** What became of one planned run. */
export interface TrialReport {
  /** The test file, or `derived`. */
  readonly source: string;
  readonly command: string;
  readonly status: 'ok' | 'failed' | 'not-run';
  /** One sentence; absent when ok. */
  readonly reason?: string;
  readonly differences: readonly Difference[];
  readonly warnings: readonly string[];
  /** Absent when it was not run. */
  readonly run?: {
    readonly arguments: Readonly<Record<string, unknown>>;
    /** The beginning of the text of the result. */
    readonly preview: string;
    /** The last lines of the log. */
    readonly log: readonly string[];
    readonly artifacts: readonly Artifact[];
    readonly images: readonly Extract<Content, { type: 'image' }>[];
    readonly durationMs: number;
    readonly tier: string;
  };
}

export interface RunTrialsOptions {
  readonly dispatch: Dispatch;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** Told of every report as it comes. */
  onReport?(report: TrialReport): void;
}

const PREVIEW_CHARACTERS = 2_000;
const LOG_LINES = 20;
const LOG_LINE_CHARACTERS = 500;

/** Makes the planned runs one after the other, through the dispatch that every call goes through. Nobody is ever asked. */
export async function runTrials(planned: readonly PlannedTrial[], options: RunTrialsOptions): Promise<readonly TrialReport[]> {
  const reports: TrialReport[] = [];
  for (const one of planned) {
    const report =
      one.kind !== 'run' ? describeUnrun(one) : options.signal.aborted ? describeLate(one.trial) : await runTrial(one.trial, options);
    reports.push(report);
    options.onReport?.(report);
  }
  return reports;
}

const describeUnrun = ({ kind, source, command, reason }: Exclude<PlannedTrial, { kind: 'run' }>): TrialReport => ({
  source,
  command,
  status: kind === 'skip' ? 'not-run' : 'failed',
  reason,
  differences: [],
  warnings: [],
});

const describeLate = ({ source, tool }: Trial): TrialReport => ({
  source,
  command: tool.command.name,
  status: 'not-run',
  reason: 'the runs were ended before it',
  differences: [],
  warnings: [],
});

async function runTrial(
  { source, tool, arguments: args, test }: Trial,
  { dispatch, caller, signal }: RunTrialsOptions,
): Promise<TrialReport> {
  const head = { source, command: tool.command.name };
  const stop = test?.timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(test.timeoutMs)]);
  const answer = await dispatch.call({ tool: tool.definition.name, arguments: args, caller, signal: stop, canAsk: false });
  if (answer.kind !== 'done') {
    const reason = answer.kind === 'ask' ? `needs ${answer.request.capabilities.join(', ')}` : answer.message;
    return { ...head, status: answer.kind === 'ask' ? 'not-run' : 'failed', reason, differences: [], warnings: [] };
  }
  const { outcome } = answer;
  const run = describeRun(outcome, args);
  if (outcome.kind === 'cancelled' && !signal.aborted) {
    return {
      ...head,
      status: 'failed',
      reason: `it took longer than timeoutMs, ${test?.timeoutMs} ms`,
      differences: [],
      warnings: [],
      run,
    };
  }
  const verdict = judgeRun(outcome, test);
  const remarks = remarksOf(outcome);
  switch (verdict.status) {
    case 'ok':
      return { ...head, status: 'ok', differences: [], warnings: [...verdict.warnings, ...remarks], run };
    case 'failed':
      return { ...head, status: 'failed', reason: verdict.reason, differences: verdict.differences, warnings: remarks, run };
    case 'not-run':
      return { ...head, status: 'not-run', reason: verdict.reason, differences: [], warnings: [] };
  }
}

const describeRun = (outcome: Outcome, args: Readonly<Record<string, unknown>>): NonNullable<TrialReport['run']> => {
  const text = textOf(outcome);
  return {
    arguments: args,
    preview: cut(text, PREVIEW_CHARACTERS),
    log: outcome.logs.slice(-LOG_LINES).map((line) => cut(line.message, LOG_LINE_CHARACTERS)),
    artifacts: outcome.artifacts,
    images: outcome.content.filter((item) => item.type === 'image'),
    durationMs: outcome.durationMs,
    tier: outcome.tier,
  };
};

/** What the result says besides its text: refusals and warnings, each on a line of its own. */
const remarksOf = ({ content }: Outcome): readonly string[] =>
  content
    .filter((item) => item.type === 'text')
    .slice(1)
    .flatMap(({ text }) => text.split('\n').filter((line) => line.startsWith('- ')))
    .map((line) => line.slice(2));

const cut = (text: string, maxCharacters: number): string => (text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1)}…` : text);
