import { randomBytes } from 'node:crypto';

import type { ApprovalBinding } from './outcome.ts';

/** A person may think this long; then the question is void. */
const ANSWER_WITHIN_MS = 10 * 60_000;
/** Questions open at a time; the oldest goes first. */
const MAX_OPEN = 1_000;

/** What a question was about, as the host remembers it. */
export interface OpenApproval {
  readonly tool: string;
  readonly argumentsDigest: string;
  readonly pluginDigest: string;
  readonly capabilities: readonly string[];
}

export type Redemption = { readonly ok: true; readonly approval: OpenApproval } | { readonly ok: false; readonly reason: string };

/** The questions that wait for a person: each is bound to a tool and its arguments, and answered once. */
export interface ApprovalDesk {
  open(approval: OpenApproval): ApprovalBinding;
  /** Takes the question away, whether it fits or not: a nonce is good for one try. */
  redeem(
    binding: ApprovalBinding,
    call: { readonly tool: string; readonly argumentsDigest: string; readonly pluginDigest: string },
  ): Redemption;
}

/** Nonces live here and not in the client’s state alone, because a signed state can be replayed (mcp.md §2, trap 3). */
export function createApprovalDesk(now: () => number): ApprovalDesk {
  const pending = new Map<string, OpenApproval & { readonly expiresAtMs: number }>();
  return {
    open(approval) {
      for (const [nonce, { expiresAtMs }] of pending) {
        if (pending.size < MAX_OPEN && expiresAtMs > now()) break;
        pending.delete(nonce);
      }
      const nonce = randomBytes(16).toString('base64url');
      pending.set(nonce, { ...approval, expiresAtMs: now() + ANSWER_WITHIN_MS });
      return { tool: approval.tool, argumentsDigest: approval.argumentsDigest, nonce };
    },
    redeem(binding, call) {
      const found = pending.get(binding.nonce);
      pending.delete(binding.nonce);
      if (!found) return { ok: false, reason: 'this approval was used before or never asked for' };
      if (found.expiresAtMs <= now()) return { ok: false, reason: 'this approval came too late' };
      if (found.tool !== call.tool || binding.tool !== call.tool) return { ok: false, reason: 'this approval was given for another tool' };
      if (found.argumentsDigest !== call.argumentsDigest || binding.argumentsDigest !== call.argumentsDigest) {
        return { ok: false, reason: 'this approval was given for other arguments' };
      }
      if (found.pluginDigest !== call.pluginDigest) return { ok: false, reason: 'the plugin changed since this approval was asked for' };
      return { ok: true, approval: found };
    },
  };
}
