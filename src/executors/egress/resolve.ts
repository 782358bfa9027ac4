import { lookup as lookupAddresses } from 'node:dns/promises';
import { isIP } from 'node:net';

import { EgressProblem } from './result.ts';
import type { Target } from './target.ts';

/** Resolves a host to all its addresses, in the order to try them; rejects when there are none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

const MAX_ADDRESSES = 32;

/** The operating system’s resolution, hosts file included. */
export const systemLookup: Lookup = async (host) =>
  (await lookupAddresses(host, { all: true, verbatim: true })).map(({ address }) => address);

/**
 * Every address of a target, from one resolution: whoever checks these and dials one of these can’t be led elsewhere
 * by a second answer (sandbox.md §D row 29). Throws EgressProblem.
 */
export async function resolveTarget({ host, literal }: Target, lookup: Lookup): Promise<readonly string[]> {
  if (literal !== undefined) return [literal];
  let addresses: readonly string[];
  try {
    addresses = await lookup(host);
  } catch (error) {
    throw new EgressProblem('unresolved', `the host "${host}" has no address${codeOf(error)}`);
  }
  if (addresses.length === 0) throw new EgressProblem('unresolved', `the host "${host}" has no address`);
  if (addresses.length > MAX_ADDRESSES)
    throw new EgressProblem('unresolved', `the host "${host}" has more than ${MAX_ADDRESSES} addresses`);
  // A zone names an interface of this machine, which no public name has a use for.
  const odd = addresses.find((address) => isIP(address) === 0 || address.includes('%'));
  if (odd !== undefined) throw new EgressProblem('unresolved', `the host "${host}" resolves to something that is no plain address`);
  return [...new Set(addresses)];
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '');
