import { hash } from 'node:crypto';

import type { ChainState } from './chain-check.ts';
import type { Findings, Place } from './findings.ts';
import type { FoundHead } from './heads.ts';
import { isFragment, tryIdentifyFragment } from './line.ts';
import type { Torn } from './record.ts';

/**
 * Where bytes that are no record stand: at the `end` of a file, or `before` a record on its line, which is where
 * a write that did not finish is found; or `alone` on a line, which takes a record that vouches for them.
 */
export type FragmentPosition = 'end' | 'before' | 'alone';

/** Tells writes that a kill or a full disk cut short from lines that somebody changed. */
export interface TornCheck {
  fragment(bytes: Buffer, position: FragmentPosition, place: Place): void;
  vouch(torn: readonly Torn[]): void;
  /** Judges all fragments, now that it is known which records came after them. */
  end(chains: ReadonlyMap<string, ChainState>, heads: ReadonlyMap<string, FoundHead>): void;
}

/** Kept until the end; the ones past it are problems whatever they are. */
const MAX_FRAGMENTS = 200;

export function createTornCheck(problems: Findings, warnings: Findings): TornCheck {
  const fragments: { bytes: Buffer; position: FragmentPosition; place: Place }[] = [];
  const vouched = new Map<number, Set<string>>();

  /** Several cut writes may stand in a row. */
  const withoutVouched = (bytes: Buffer): Buffer => {
    for (const [length, digests] of vouched) {
      if (length > bytes.length || !digests.has(hash('sha256', bytes.subarray(0, length), 'hex'))) continue;
      return withoutVouched(bytes.subarray(length));
    }
    return bytes;
  };

  return {
    fragment(bytes, position, place) {
      if (fragments.length < MAX_FRAGMENTS) fragments.push({ bytes: Buffer.from(bytes), position, place });
      else problems.add(place, 'the line is not a record of the journal');
    },
    vouch(torn) {
      for (const { bytes, digest } of torn) {
        const digests = vouched.get(bytes) ?? new Set();
        vouched.set(bytes, digests.add(digest));
      }
    },
    end(chains, heads) {
      for (const { bytes, position, place } of fragments) {
        const rest = withoutVouched(bytes);
        if (rest.length === 0) {
          warnings.add(place, 'a write did not finish here, which the record after it says');
          continue;
        }
        const found = tryIdentifyFragment(rest);
        const written = found === undefined ? -1 : Math.max(heads.get(found.chain)?.seq ?? -1, chains.get(found.chain)?.seq ?? -1);
        if (position === 'alone' || !isFragment(rest)) problems.add(place, 'the line is not a record of the journal');
        else if (found !== undefined && found.seq <= written)
          problems.add(place, `record ${found.seq} of chain ${found.chain} was cut after it had been written`);
        else warnings.add(place, 'a write did not finish here: its process was killed, or is writing now');
      }
    },
  };
}
