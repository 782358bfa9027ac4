import { z } from 'zod';

/** Of one round: to write a plugin, or to change one that worked (kaizen.md, “Pipeline”). */
export const MAX_ATTEMPTS = 3;

/** How far a draft is. */
export const DraftStateSchema = z.strictObject({
  version: z.literal(1),
  attempt: z.int().min(0).max(MAX_ATTEMPTS).describe('attempts made in this round'),
  status: z.enum(['copied', 'failing', 'passing', 'closed']),
  digest: z.string().max(200).describe('of the files that were tried last; empty before the first try'),
  changedAtMs: z.number().describe('milliseconds since 1970, UTC'),
});
export type DraftState = Readonly<z.infer<typeof DraftStateSchema>>;

export type NextAttempt = { readonly ok: true; readonly attempt: number } | { readonly ok: false; readonly reason: string };

/** The number of the next attempt at a draft. What worked, or was copied, is changed in a new round. Pure. */
export function nextAttempt({ status, attempt }: DraftState): NextAttempt {
  switch (status) {
    case 'copied':
    case 'passing':
      return { ok: true, attempt: 1 };
    case 'failing':
      // A round whose last attempt was never judged, because the process ended in it, has no attempt left either.
      return attempt < MAX_ATTEMPTS ? { ok: true, attempt: attempt + 1 } : { ok: false, reason: CLOSED };
    case 'closed':
      return { ok: false, reason: CLOSED };
  }
}

/** How a draft stands after an attempt. Pure. */
export function judgeAttempt(attempt: number, passed: boolean): DraftState['status'] {
  if (passed) return 'passing';
  return attempt >= MAX_ATTEMPTS ? 'closed' : 'failing';
}

const CLOSED = `it is closed after ${MAX_ATTEMPTS} failed attempts: tell the person what failed, or begin again under another name`;
