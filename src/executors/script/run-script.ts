import type { ScriptRuntime } from '../../manifest/plugin.ts';
import type { Execution, ExecutionReport, LiveEnds } from '../executor.ts';
import { watchDirectorySize } from '../sandbox/data-quota.ts';
import type { RunDirectory } from '../sandbox/sandbox.ts';
import { readAnswer } from './output/answer.ts';
import { RUN_DIRECTORY } from './describe-process.ts';
import { formatEnding } from './ending.ts';
import { describeMissing } from './inspect.ts';
import { MAX_DATA_ENTRIES } from './prepare.ts';
import { keepProducedFiles } from './output/produced-files.ts';
import { addWarnings } from './report.ts';
import type { ScriptInput, ScriptProcess } from './script-process.ts';
import { supervise } from './supervise.ts';

export interface ScriptCall {
  readonly execution: Execution<ScriptRuntime>;
  readonly input: ScriptInput;
  readonly live: LiveEnds;
  /** When the call began, by `performance.now()`: its deadline counts from there. */
  readonly startedMs: number;
  readonly dataBytes: number;
}

/** A process that waits for the call. */
export interface Obtained {
  readonly script: ScriptProcess;
  /** Undefined when it ended before it could be held. */
  readonly directory: RunDirectory | undefined;
}

/** Runs a call in its process to the end, and keeps the files that it names. The process may still be ending after it. */
export async function runScript(call: ScriptCall, obtained: Obtained): Promise<ExecutionReport> {
  const { execution, input, live, startedMs, dataBytes } = call;
  const { script } = obtained;
  const { limits, paths, plugin, runtime } = execution;
  script.attach(live.permit);
  const run = await supervise(script, {
    input,
    limits,
    timeoutMs: limits.timeoutMs - (performance.now() - startedMs),
    live,
    watchData: (onOver) => watchDirectorySize(paths.data, { maxBytes: dataBytes, maxEntries: MAX_DATA_ENTRIES }, onOver),
  });
  const { result, files } = readAnswer(run, { limits, dataBytes });
  const warnings = [
    ...(files === undefined ? [] : await keepFiles(files, obtained, live)),
    ...(result.kind === 'failed' ? describeMissing({ ...plugin, runtime }) : []),
  ];
  return {
    result: addWarnings(result, warnings),
    usage: {
      tier: script.tier,
      bytesIn: run.bytesIn,
      bytesOut: run.stdout.length,
      hostCalls: 0,
      logBytesDropped: run.logBytesDropped,
      exit: formatEnding(run.ending),
    },
  };
}

async function keepFiles(files: unknown, { script, directory }: Obtained, live: LiveEnds): Promise<readonly string[]> {
  if (!directory) return ['its files were not kept: its run directory is gone'];
  // Nothing may change them while they are read.
  await script.kill();
  return keepProducedFiles({ files, directory, insidePath: RUN_DIRECTORY, keep: live.keep });
}
