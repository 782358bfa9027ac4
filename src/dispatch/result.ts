import type { ArtifactStore, PutAnswer } from '../artifacts/store.ts';
import { describeCallError, HostError, type CallErrorCode } from '../errors.ts';
import type { ExecutionReport, LogLine, Refusal } from '../executors/executor.ts';
import type { Usage } from './authority.ts';
import { boundText, cutAtCharacter, type BoundText } from './bound-text.ts';
import type { KeptFile } from './keep-files.ts';
import type { Outcome } from './outcome.ts';
import { present } from './present.ts';

/** How a call ended, before it is put into words. */
export type Ending =
  | {
      readonly kind: 'refused';
      readonly code: CallErrorCode;
      readonly reason: string;
      /** What it lacked, where that was decided before it began. */
      readonly refusals?: readonly Refusal[];
    }
  | {
      readonly kind: 'executed';
      readonly report: ExecutionReport;
      readonly usage: Usage;
      readonly logs: readonly LogLine[];
      readonly kept: readonly KeptFile[];
      /** Capabilities that were part of its sandbox. */
      readonly given: readonly string[];
    };

interface EndingDeps {
  readonly artifacts: ArtifactStore;
  readonly maxCharacters: number;
}

interface EndingCall {
  readonly id: string;
  readonly startedMs: number;
  readonly request: { readonly tool: string };
}

/** The codes of endings that the executor reports by kind. */
const CODE_OF_RESULT = { 'timed-out': 'EXECUTION_TIMED_OUT', cancelled: 'DISPATCH_CANCELLED' } as const;

/** Puts an ending into the words and the bounds that clients get. */
export async function endCall(deps: EndingDeps, call: EndingCall, ending: Ending): Promise<Outcome> {
  const durationMs = performance.now() - call.startedMs;
  const { tool } = call.request;
  if (ending.kind === 'refused') {
    const kind = ending.code === 'DISPATCH_CANCELLED' ? 'cancelled' : 'refused';
    const refused = { ...EMPTY, ...failure(kind, ending.code, { tool, reason: ending.reason }), durationMs };
    return ending.refusals === undefined ? refused : { ...refused, refusals: ending.refusals };
  }
  const { report, usage, logs, kept } = ending;
  const { result } = report;
  const { refusals } = usage;
  const { tier } = report.usage;
  const bind = (text: string): Promise<BoundText> =>
    boundText(text, { maxCharacters: deps.maxCharacters, keep: (whole) => keepText(deps.artifacts, call.id, whole) });
  if (result.kind !== 'ok') {
    const code = result.kind === 'failed' ? result.code : CODE_OF_RESULT[result.kind];
    const reason = result.kind === 'cancelled' ? 'the client withdrew it' : result.message;
    const { kind, error } = failure(result.kind, code, { tool, reason });
    // A plugin’s own words can be as long as any answer.
    const shown = present(await bind(`${code}: ${error.message}`), { refusals, warnings: NO_WARNINGS, kept });
    return {
      kind,
      error: { code, message: cutAtCharacter(error.message, deps.maxCharacters) },
      ...(report.usage.exit === undefined ? {} : { exit: report.usage.exit }),
      durationMs,
      logs,
      refusals,
      tier,
      ...shown,
    };
  }
  const { text, structured, warnings = NO_WARNINGS } = result.output;
  const { content, artifacts, truncated } = present(await bind(text), { refusals, warnings, kept });
  return {
    kind: 'ok',
    durationMs,
    logs,
    refusals,
    tier,
    content,
    artifacts,
    truncated,
    // Clients show structured content in place of text, so what was too long as text is too long in this form too.
    ...(structured && !truncated ? { structured } : {}),
  };
}

const NO_WARNINGS: readonly string[] = [];
const EMPTY = { artifacts: [], logs: [], refusals: [], truncated: false, tier: 'none' } as const;

function failure(kind: Exclude<Outcome['kind'], 'ok'>, code: CallErrorCode, details: { tool: string; reason: string }) {
  const message = describeCallError(code, details);
  return { kind, error: { code, message }, content: [{ type: 'text' as const, text: `${code}: ${message}` }] };
}

/** The call has run by now, so that a store that fails costs the rest of the text and not the whole answer. */
async function keepText(artifacts: ArtifactStore, callId: string, text: string): Promise<PutAnswer> {
  try {
    return await artifacts.putText(callId, 'result.txt', text, 'text/plain');
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { kind: 'refused', reason: error.message };
  }
}
