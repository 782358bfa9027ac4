import type { ArtifactStore, PutAnswer } from '../artifacts/store.ts';
import { describeCallError, HostError, type CallErrorCode } from '../errors.ts';
import type { ExecutionReport, LogLine, Refusal } from '../executors/executor.ts';
import type { Usage } from './authority.ts';
import { boundText, cutAtCharacter, type BoundText } from './bound-text.ts';
import type { Content, Outcome } from './outcome.ts';

/** How a call ended, before it is put into words. */
export type Ending =
  | { readonly kind: 'refused'; readonly code: CallErrorCode; readonly reason: string }
  | { readonly kind: 'executed'; readonly report: ExecutionReport; readonly usage: Usage; readonly logs: readonly LogLine[] };

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
    return { ...EMPTY, ...failure(kind, ending.code, { tool, reason: ending.reason }), durationMs };
  }
  const { report, usage, logs } = ending;
  const shared = { durationMs, logs, refusals: usage.refusals, tier: report.usage.tier };
  const { result } = report;
  const bind = async (text: string): Promise<BoundText> => {
    const bound = await boundText(text, { maxCharacters: deps.maxCharacters, keep: (whole) => keepText(deps.artifacts, call.id, whole) });
    const content = usage.refusals.length === 0 ? bound.content : [...bound.content, ...describeRefusals(usage.refusals)];
    return { content, artifacts: bound.artifacts, truncated: bound.truncated };
  };
  if (result.kind !== 'ok') {
    const code = result.kind === 'failed' ? result.code : CODE_OF_RESULT[result.kind];
    const reason = result.kind === 'cancelled' ? 'the client withdrew it' : result.message;
    const { kind, error } = failure(result.kind, code, { tool, reason });
    // A plugin’s own words can be as long as any answer.
    const bound = await bind(`${code}: ${error.message}`);
    return { kind, error: { code, message: cutAtCharacter(error.message, deps.maxCharacters) }, ...shared, ...bound };
  }
  const bound = await bind(result.output.text);
  return {
    kind: 'ok',
    durationMs,
    logs,
    refusals: usage.refusals,
    tier: report.usage.tier,
    content: bound.content,
    artifacts: bound.artifacts,
    truncated: bound.truncated,
    // Clients show structured content in place of text, so what was too long as text is too long in this form too.
    ...(result.output.structured && !bound.truncated ? { structured: result.output.structured } : {}),
  };
}

const EMPTY = { artifacts: [], logs: [], refusals: [], truncated: false, tier: 'none' } as const;

function failure(kind: Exclude<Outcome['kind'], 'ok'>, code: CallErrorCode, details: { tool: string; reason: string }) {
  const message = describeCallError(code, details);
  return { kind, error: { code, message }, content: [{ type: 'text' as const, text: `${code}: ${message}` }] };
}

/** The plugin saw only error values; the model needs to know what was refused and what a person can do. */
function describeRefusals(refusals: readonly Refusal[]): readonly Content[] {
  if (refusals.length === 0) return [];
  const lines = refusals.slice(0, 5).map(({ capability, by, reason }) => `- ${capability} (by ${by}): ${reason}`);
  const more = refusals.length > 5 ? `\n- and ${refusals.length - 5} more` : '';
  return [{ type: 'text', text: `Refused during this call:\n${lines.join('\n')}${more}` }];
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
