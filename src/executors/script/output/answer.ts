import type { CallErrorCode } from '../../../errors.ts';
import type { Limits } from '../../../manifest/plugin.ts';
import type { ExecutionResult } from '../../executor.ts';
import type { StopReason } from '../ending.ts';
import { readOutput, type ScriptOutput } from './read-output.ts';
import type { ScriptRun } from '../script-process.ts';

export interface AnswerBounds {
  readonly limits: Limits;
  /** Of the data directory. */
  readonly dataBytes: number;
}

/** What a run means, before the files that it names have been looked at. */
export interface Answer {
  readonly result: ExecutionResult;
  /** The `files` member of the answer, as the script wrote it; undefined where there is none. */
  readonly files: unknown;
}

const MAX_SHOWN_CHARACTERS = 2000;
/** How V8 ends a process whose heap is full: it aborts or traps, and says why on stderr. */
const HEAP_SIGNALS = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL']);

/**
 * Reads what a script left (kaizen.md, “Output”): its JSON or text; failed when it ended with another code than 0, said
 * that it failed by a non-empty member `error`, was ended, or printed what is no text.
 */
export function readAnswer(run: ScriptRun, bounds: AnswerBounds): Answer {
  const { ending } = run;
  switch (ending.kind) {
    case 'stopped':
      return { result: describeStop(ending.by, bounds), files: undefined };
    case 'memory':
      return { result: tooMuchMemory(bounds), files: undefined };
    case 'setup':
      return {
        result: failed('EXECUTION_NO_HOST', `the sandbox could not be made: ${run.stderrTail || 'it gave no reason'}`),
        files: undefined,
      };
    case 'signal': {
      const isHeap = HEAP_SIGNALS.has(ending.signal) && /out of memory/i.test(run.stderrTail);
      const died = failed('EXECUTION_DIED', withStderr(`the script was ended by ${ending.signal}`, run));
      return { result: isHeap ? tooMuchMemory(bounds) : died, files: undefined };
    }
    case 'exited':
      return describeExit(ending.code, readOutput(run.stdout), run);
  }
}

function describeExit(code: number, output: ScriptOutput, run: ScriptRun): Answer {
  const files = output.kind === 'object' && Object.hasOwn(output.value, 'files') ? output.value['files'] : undefined;
  const error = output.kind === 'object' && Object.hasOwn(output.value, 'error') ? readError(output.value['error']) : undefined;
  if (error !== undefined || code !== 0) {
    const reason = error ?? `the script ended with exit code ${code}`;
    return { result: failed('EXECUTION_PLUGIN_FAILED', withStderr([reason, ...describeRest(output, error)].join('\n\n'), run)), files };
  }
  if (output.kind === 'binary') {
    const reason = `${output.bytes} bytes of its output are not UTF-8 text; a script hands over such data as a file that its "files" array names`;
    return { result: failed('EXECUTION_BAD_OUTPUT', reason), files };
  }
  const { text, warnings } = output;
  const structured = output.kind === 'object' ? { structured: output.value } : {};
  return { result: { kind: 'ok', output: { text, ...structured, ...(warnings.length > 0 ? { warnings } : {}) } }, files };
}

/** The reason that a script gives; undefined where the member is empty and so says that nothing failed. */
function readError(error: unknown): string | undefined {
  if (typeof error === 'string') return error.trim() === '' ? undefined : error;
  if (error === true) return 'the script reported an error without saying which';
  if (typeof error === 'number') return error === 0 ? undefined : `the script reported the error ${error}`;
  if (typeof error !== 'object' || error === null) return undefined;
  if ('message' in error && typeof error.message === 'string' && error.message.trim() !== '') return error.message;
  return Object.keys(error).length === 0 ? undefined : JSON.stringify(error);
}

/** What else a failed script printed, for whoever has to mend it. */
function describeRest(output: ScriptOutput, error: string | undefined): string[] {
  if (output.kind === 'binary' || output.text === '') return [];
  // An object that holds nothing but its error has been shown by it.
  if (error !== undefined && output.kind === 'object' && Object.keys(output.value).length === 1) return [];
  return [`It printed:\n${shorten(output.text)}`];
}

function describeStop(by: StopReason, { limits, dataBytes }: AnswerBounds): ExecutionResult {
  switch (by) {
    case 'cancelled':
      return { kind: 'cancelled' };
    case 'timeoutMs':
      return { kind: 'timed-out', limit: by, message: `the script did not end within ${limits.timeoutMs} ms and was killed` };
    case 'outputBytes':
      return failed('EXECUTION_OUTPUT_TOO_LARGE', `the script printed more than ${limits.outputBytes} bytes and was killed`);
    case 'stderrBytes':
      return failed('EXECUTION_OUTPUT_TOO_LARGE', `the script wrote more than ${limits.outputBytes} bytes to stderr and was killed`);
    case 'data':
      return failed('EXECUTION_DIED', `its data directory grew beyond ${dataBytes} bytes and it was killed`);
  }
}

const tooMuchMemory = ({ limits }: AnswerBounds): ExecutionResult =>
  failed('EXECUTION_DIED', `it used more than ${limits.memoryBytes} bytes of memory`);

const failed = (code: CallErrorCode, message: string): ExecutionResult => ({ kind: 'failed', code, message });

const withStderr = (reason: string, { stderrTail }: ScriptRun): string =>
  stderrTail === '' ? reason : `${reason}\n\nThe end of its stderr:\n${stderrTail}`;

const shorten = (text: string): string =>
  text.length > MAX_SHOWN_CHARACTERS ? `${Buffer.from(text.slice(0, MAX_SHOWN_CHARACTERS)).toString('utf8')}…` : text;
