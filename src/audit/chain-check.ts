import { dayOf } from './day-file.ts';
import type { Findings, Place } from './findings.ts';
import type { FoundHead } from './heads.ts';
import { NO_HASH, type LineHeader } from './line.ts';

export interface ChainState {
  /** Of the last record seen. */
  seq: number;
  hash: string;
  /** The latest day that the chain has reached; its writer never goes back to an earlier file. */
  day: string;
  closed: boolean;
  place: Place;
}

/** Follows every chain from record to record. */
export interface ChainCheck {
  /** The next record whose own hash is right, in the order of the files. */
  take(record: LineHeader & { readonly hash: string }, place: Place & { readonly day: string }): void;
  /** Compares where the chains end with their heads, the missing ones of which are asked for once more. */
  end(rereadHeads: () => ReadonlyMap<string, FoundHead>): void;
  readonly chains: ReadonlyMap<string, ChainState>;
}

/** Memory grows with the number of chains, not of records. */
export function createChainCheck(heads: ReadonlyMap<string, FoundHead>, problems: Findings): ChainCheck {
  const chains = new Map<string, ChainState>();

  const checkFollows = (record: LineHeader, place: Place, before: ChainState | undefined): void => {
    const { chain, seq, prev, kind } = record;
    if (before === undefined) {
      if (seq !== 0) problems.add(place, `chain ${chain} begins with record ${seq}: the ones before it are missing`);
      else if (kind !== 'open' || prev !== NO_HASH) problems.add(place, `chain ${chain} begins with a record that opens no chain`);
    } else if (seq === before.seq) {
      problems.add(place, `record ${seq} of chain ${chain} is there twice`);
    } else if (seq < before.seq) {
      problems.add(place, `record ${seq} of chain ${chain} stands after record ${before.seq}`);
    } else if (seq > before.seq + 1) {
      problems.add(place, `records ${before.seq + 1} to ${seq - 1} of chain ${chain} are missing here`);
    } else if (prev !== before.hash) {
      problems.add(place, `record ${seq} of chain ${chain} does not follow the record before it, which was changed`);
    } else if (before.closed || kind === 'open') {
      problems.add(place, `record ${seq} of chain ${chain} stands where the chain ${before.closed ? 'has ended' : 'is already open'}`);
    }
  };

  return {
    chains,
    take(record, place) {
      const { chain, seq, hash, kind } = record;
      const before = chains.get(chain);
      checkFollows(record, place, before);
      const head = heads.get(chain);
      if (head?.seq === seq && head.hash !== hash)
        problems.add(place, `record ${seq} of chain ${chain} is not the one that its head names`);
      const recordDay = dayOf(record.time);
      const day = before === undefined || recordDay > before.day ? recordDay : before.day;
      if (day !== place.day) problems.add(place, `record ${seq} of chain ${chain} belongs to the file of ${day}`);
      // A record out of order is told once; the chain goes on from its furthest record.
      if (before !== undefined && seq <= before.seq) return;
      chains.set(chain, { seq, hash, day, closed: kind === 'close', place: { file: place.file, line: place.line } });
    },
    end(rereadHeads) {
      for (const [chain, head] of heads) {
        const state = chains.get(chain);
        const headFile = { file: head.closed ? 'heads/closed.jsonl' : `heads/${chain}.json`, line: 0 };
        if (head.seq < 0) continue;
        if (state === undefined) problems.add(headFile, `chain ${chain} is missing: it had ${head.seq + 1} records`);
        else if (state.seq < head.seq)
          problems.add(state.place, `records ${state.seq + 1} to ${head.seq} of chain ${chain} are missing at its end`);
        else if (head.closed && !state.closed) problems.add(state.place, `chain ${chain} goes on after its end`);
      }
      if ([...chains.keys()].every((chain) => heads.has(chain))) return;
      const later = rereadHeads();
      for (const [chain, { place }] of chains) if (!later.has(chain)) problems.add(place, `the head of chain ${chain} is missing`);
    },
  };
}
