import type { Executor, Refusal } from '../executors/executor.ts';
import type { PreparedCall } from '../policy/call-permissions.ts';
import { grantHint } from '../policy/decide.ts';
import { explainRefusal } from '../policy/explain.ts';
import type { Permissions } from '../policy/permissions.ts';
import type { Allowed, Denied, Verdict } from '../policy/verdict.ts';

/** Whether a call may begin. `ask`: a person’s approval would settle all that stands in its way. */
export type Entry =
  | { readonly kind: 'open'; readonly source: Allowed['source'] }
  | {
      readonly kind: 'ask' | 'closed';
      readonly by: Denied['by'];
      readonly reason: string;
      /** A sentence that says what a person can do. */
      readonly hint: string;
      /** The capabilities that it lacks, where these were decided before the call. */
      readonly refusals: readonly Refusal[];
    };

export interface EntryQuestion {
  readonly prepared: PreparedCall;
  readonly permissions: Permissions;
  readonly run: Verdict;
}

/**
 * Decides whether a call may begin. Where permissions are decided per use, running alone counts. Where they are decided
 * ahead, all that the command requests must be allowed whole, for what is built into a sandbox cannot be asked for later;
 * hosts alone may be allowed in part, because each connection asks. Pure.
 */
export function decideEntry({ prepared, permissions, run }: EntryQuestion, mode: Executor['permissions']): Entry {
  if (run.effect === 'deny') return { kind: 'closed', by: run.by, reason: run.reason, hint: run.hint, refusals: [] };
  if (mode === 'ahead') {
    const closed = [
      ...permissions.denied.map((text) => explainRefusal(prepared, text, 'denied')),
      ...permissions.partial.filter((text) => !text.startsWith('net:')).map((text) => explainRefusal(prepared, text, 'partial')),
    ];
    const asks = permissions.asks.map((text) => explainRefusal(prepared, text, 'asks'));
    const [first] = [...closed, ...asks];
    if (first !== undefined) return lacking(prepared, { kind: closed.length > 0 ? 'closed' : 'ask', first, lacks: [...closed, ...asks] });
  }
  if (run.effect === 'ask') return { kind: 'ask', by: 'grant', reason: run.reason, hint: run.hint, refusals: [] };
  return { kind: 'open', source: run.source };
}

interface Lack {
  readonly kind: 'ask' | 'closed';
  readonly first: Denied;
  readonly lacks: readonly Denied[];
}

/** More than a person reads; the rest is counted. */
const MAX_NAMED = 10;

/** One refusal that names every capability, which of the three said no to it, and one command that grants what can be granted. */
function lacking({ subject }: PreparedCall, { kind, first, lacks }: Lack): Entry {
  const named = lacks.slice(0, MAX_NAMED).map(({ reason, by }) => `${reason} (by ${by})`);
  const more = lacks.length > MAX_NAMED ? [`and ${lacks.length - MAX_NAMED} more`] : [];
  const grantable = lacks.filter(({ by }) => by === 'grant').map(({ capability }) => capability);
  const others = lacks.filter(({ by }) => by !== 'grant').map(({ hint }) => hint);
  const hints = [...new Set(others), ...(grantable.length === 0 ? [] : [grantHint(subject.plugin, ...grantable)])];
  return {
    kind,
    by: first.by,
    reason: [...named, ...more].join('; '),
    hint: hints.join('. '),
    refusals: lacks.map(({ capability, by, reason, hint }) => ({ allowed: false, capability, by, reason: `${reason}. ${hint}` })),
  };
}

/** What of the requests becomes part of the sandbox itself, so that a call has used it by having begun. */
export const listGiven = ({ prepared, permissions }: EntryQuestion): readonly string[] =>
  prepared.requests
    .filter(({ text, capability: { kind } }) => BUILT_IN.has(kind) && permissions.allowed.includes(text))
    .map(({ text }) => text);

const BUILT_IN: ReadonlySet<string> = new Set(['read:fs', 'write:fs', 'exec', 'env']);
