import type { ArtifactStore } from '../artifacts/store.ts';
import { describeCallError, type CallErrorCode } from '../errors.ts';
import type { ExecutionReport, LogLine, Refusal } from '../executors/executor.ts';
import type { Usage } from './authority.ts';
import { boundText } from './bound-text.ts';
import type { Artifact, Content, Outcome } from './outcome.ts';

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
  if (result.kind !== 'ok') {
    const code = result.kind === 'failed' ? result.code : CODE_OF_RESULT[result.kind];
    const reason = result.kind === 'cancelled' ? 'the client withdrew it' : result.message;
    const failed = failure(result.kind, code, { tool, reason });
    return { ...EMPTY, ...failed, content: [...failed.content, ...describeRefusals(usage.refusals)], ...shared };
  }
  const bound = await boundText(result.output.text, {
    maxCharacters: deps.maxCharacters,
    keep: (text) => keepText(deps.artifacts, call.id, text),
  });
  return {
    ...EMPTY,
    kind: 'ok',
    ...shared,
    content: [...bound.content, ...describeRefusals(usage.refusals)],
    // Clients show structured content in place of text, so what was too long as text is too long in this form too.
    ...(result.output.structured && !bound.truncated ? { structured: result.output.structured } : {}),
    artifacts: bound.artifacts,
    truncated: bound.truncated,
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

async function keepText(artifacts: ArtifactStore, callId: string, text: string): Promise<Artifact | undefined> {
  const put = await artifacts.putText(callId, 'result.txt', text, 'text/plain');
  return put.kind === 'stored' ? put.artifact : undefined;
}
