import type { Journal } from '../audit/journal.ts';
import type { LiveCatalog } from '../catalog/live-catalog.ts';
import type { ApprovalDesk } from '../dispatch/approval.ts';
import type { Caller } from '../dispatch/outcome.ts';
import type { Language } from '../manifest/plugin.ts';
import type { ScriptParameter } from '../manifest/starters/starter.ts';
import type { Trials } from '../trials/trials.ts';
import type { TrialReport } from '../trials/run-trials.ts';
import type { TestCase } from '../trials/test-case.ts';
import type { TrustStore } from '../trust/trust.ts';
import { createDrafting } from './drafting.ts';
import type { Edit } from './edits.ts';
import { createProposing, type ProposalAnswer, type ProposeRequest } from './proposing.ts';
import { createTurns } from './turns.ts';

/** Who asks, and until when the answer is wanted. */
export interface AuthoringCall {
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

export interface NewDraft {
  readonly name: string;
  readonly language: Language;
  readonly description: string;
  readonly parameters: readonly ScriptParameter[];
  readonly capabilities: readonly string[];
  readonly code: string;
  readonly tests: readonly TestCase[];
}

/** What a client hears of its draft. */
export interface DraftReport {
  readonly name: string;
  readonly status: 'copied' | 'failing' | 'passing' | 'closed';
  readonly attempt: number;
  readonly attemptsLeft: number;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly runs: readonly TrialReport[];
  /** The text files, for the next patch; with their texts where the client did not write them. */
  readonly files: readonly { readonly file: string; readonly text?: string }[];
}

export type DraftAnswer =
  | { readonly kind: 'report'; readonly report: DraftReport }
  /** Nothing was changed, no attempt was used. `reason` is one sentence. */
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Plugins that clients write (kaizen.md, “Pipeline”): drafted, tried, patched, at most three attempts a round, and proposed.
 * Nothing here makes a tool: only a person’s answer, or `plugbridge trust`, does.
 */
export interface Authoring {
  draft(plan: NewDraft, call: AuthoringCall): Promise<DraftAnswer>;
  /** Copies a plugin into a draft, to be patched. */
  copy(from: string, name: string, call: AuthoringCall): Promise<DraftAnswer>;
  patch(name: string, edits: readonly Edit[], call: AuthoringCall): Promise<DraftAnswer>;
  propose(request: ProposeRequest, call: AuthoringCall): Promise<ProposalAnswer>;
}

export interface AuthoringDeps {
  /** Where drafts lie, absolute. */
  readonly drafts: string;
  /** Where proposals lie, absolute: a search directory of the catalog whose plugins are not trusted. */
  readonly proposals: string;
  readonly catalog: LiveCatalog;
  readonly trials: Trials;
  readonly trust: TrustStore;
  readonly approvals: ApprovalDesk;
  readonly journal: Journal;
  /** Milliseconds since 1970, UTC. */
  readonly now: () => number;
}

export function createAuthoring(deps: AuthoringDeps): Authoring {
  const inTurn = createTurns();
  const drafting = createDrafting(deps);
  const proposing = createProposing(deps, drafting.store);
  return {
    draft: (plan, call) => inTurn(plan.name, () => drafting.draft(plan, call)),
    copy: (from, name, call) => inTurn(name, () => drafting.copy(from, name, call)),
    patch: (name, edits, call) => inTurn(name, () => drafting.patch(name, edits, call)),
    propose: (request, call) => inTurn(request.name, () => proposing.propose(request, call)),
  };
}
