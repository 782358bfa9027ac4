import type { LiveEnds } from '../executor.ts';
import type { Limits } from '../../manifest/plugin.ts';
import type { StopReason } from './ending.ts';
import type { ScriptInput, ScriptProcess, ScriptRun } from './script-process.ts';

export interface Supervision {
  readonly input: ScriptInput;
  readonly limits: Limits;
  /** What is left of the time limit. */
  readonly timeoutMs: number;
  readonly live: LiveEnds;
  /** Watches the data directory while the script runs and calls back once when it is too large; returns how to end that. */
  readonly watchData: (onOverflow: () => void) => () => void;
}

/** Runs a waiting script under all that may end it: its deadline, the client, the sizes of its output and its data. */
export async function supervise(script: ScriptProcess, { input, limits, timeoutMs, live, watchData }: Supervision): Promise<ScriptRun> {
  const running = script.run(input, {
    outputBytes: limits.outputBytes,
    logBytes: limits.logBytes,
    log: (message) => live.log({ level: 'info', message }),
  });
  const stop = (by: StopReason) => (): void => running.stop(by);
  const cancel = stop('cancelled');
  const deadline = setTimeout(stop('timeoutMs'), Math.max(1, timeoutMs));
  const unwatch = watchData(stop('data'));
  live.signal.addEventListener('abort', cancel, { once: true });
  if (live.signal.aborted) cancel();
  try {
    return await running.ended;
  } finally {
    clearTimeout(deadline);
    unwatch();
    live.signal.removeEventListener('abort', cancel);
  }
}
