import type { CapabilityUse, Permit } from '../executor.ts';
import type { Deadline } from './deadline.ts';
import { type Lookup, resolveTarget } from './resolve.ts';
import { EgressProblem } from './result.ts';
import type { Target } from './target.ts';

export interface AddressOptions {
  readonly permit: (use: CapabilityUse) => Permit;
  readonly lookup: Lookup;
  readonly deadline: Deadline;
}

/** Throws EgressProblem with the refusal when it is one. */
export function requireAllowed(answer: Permit): void {
  if (!answer.allowed) throw new EgressProblem('refused', answer.reason, answer);
}

/**
 * The addresses to dial for a host that has been permitted: resolved once and each asked for; one that is refused refuses the
 * host. Rejects with EgressProblem.
 */
export async function findPermittedAddresses(target: Target, { permit, lookup, deadline }: AddressOptions): Promise<readonly string[]> {
  const { host, port } = target;
  const addresses = await deadline.race(resolveTarget(target, lookup));
  for (const address of addresses) requireAllowed(permit({ kind: 'net-address', host, port, address }));
  return addresses;
}
