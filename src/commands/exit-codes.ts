import type { Fault } from '../errors.ts';
import type { Outcome } from '../dispatch/outcome.ts';

/** The published exit codes (DESIGN.md, “Command line”). */
export const EXIT = { ok: 0, failure: 1, usage: 2, refused: 3, integrity: 4, toolFailed: 5, drift: 6 } as const;

export const EXIT_OF_FAULT: Record<Fault, number> = {
  caller: EXIT.usage,
  plugin: EXIT.toolFailed,
  policy: EXIT.refused,
  operator: EXIT.failure,
  host: EXIT.failure,
};

export const EXIT_OF_OUTCOME: Record<Outcome['kind'], number> = {
  ok: EXIT.ok,
  refused: EXIT.refused,
  failed: EXIT.toolFailed,
  'timed-out': EXIT.toolFailed,
  cancelled: EXIT.failure,
};
