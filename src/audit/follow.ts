import { statSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

import { dayFileName } from './day-file.ts';
import { fitsFilter, canHold, type RecordFilter } from './filter.ts';
import { listDaysOrThrow, toUnreadable, tryReadRecord } from './query.ts';
import { readLines } from './read-lines.ts';
import type { AuditRecord } from './record.ts';

export interface FollowOptions {
  /** `<state>/audit` */
  readonly directory: string;
  /** With `sinceMs`, what is there already comes first; without, only what is written from now on. */
  readonly filter?: RecordFilter;
  /** Ends the iteration. */
  readonly signal: AbortSignal;
  /** How often to look where the system does not tell of changes. Default 500. */
  readonly pollIntervalMs?: number;
}

interface Tail {
  offset: number;
}

/**
 * Records as they are written, by whichever process, across midnight, until the signal. The journal need not exist yet.
 * Throws HostError `AUDIT_UNREADABLE`.
 */
export async function* followJournal(options: FollowOptions): AsyncGenerator<AuditRecord> {
  const { directory, filter = {}, signal } = options;
  const tails = new Map<string, Tail>();
  if (filter.sinceMs === undefined) for (const day of listDaysOrThrow(directory)) tails.set(day, { offset: sizeOf(directory, day) });
  const bell = createBell(directory, options.pollIntervalMs ?? 500, signal);
  try {
    while (!signal.aborted) {
      for (const day of listDaysOrThrow(directory)) {
        if (!canHold(day, filter)) continue;
        const tail = tails.get(day) ?? { offset: 0 };
        tails.set(day, tail);
        if (sizeOf(directory, day) > tail.offset) yield* readOn(join(directory, dayFileName(day)), tail, options);
        if (signal.aborted) return;
      }
      await bell.ring();
    }
  } catch (error) {
    throw toUnreadable(directory, error);
  } finally {
    bell.stop();
  }
}

/** Reads whole lines only: the rest of one that is being written comes with the next look. */
async function* readOn(path: string, tail: Tail, { filter = {}, signal }: FollowOptions): AsyncGenerator<AuditRecord> {
  for await (const lines of readLines(path, { fromOffset: tail.offset })) {
    for (const line of lines) {
      if (!line.ended) return;
      tail.offset = line.endOffset;
      const record = line.bytes.length === 0 ? undefined : tryReadRecord(line.bytes);
      if (record !== undefined && fitsFilter(record, filter)) yield record;
      if (signal.aborted) return;
    }
  }
}

const sizeOf = (directory: string, day: string): number =>
  statSync(join(directory, dayFileName(day)), { throwIfNoEntry: false })?.size ?? 0;

/** Rings when the directory may have changed: as soon as the system says so, at the latest after the interval. */
function createBell(directory: string, intervalMs: number, signal: AbortSignal): { ring(): Promise<void>; stop(): void } {
  let rung = false;
  let wake: (() => void) | undefined;
  const strike = (): void => {
    rung = true;
    wake?.();
  };
  const watcher = tryWatch(directory, strike);
  const timer = setInterval(strike, intervalMs);
  signal.addEventListener('abort', strike, { once: true });
  return {
    async ring() {
      if (!rung) await new Promise<void>((resolve) => (wake = resolve));
      rung = false;
      wake = undefined;
    },
    stop() {
      clearInterval(timer);
      watcher?.close();
      signal.removeEventListener('abort', strike);
    },
  };
}

/** Undefined where the directory is missing yet or the system has no watch left; the interval is enough then. */
function tryWatch(directory: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, onChange);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
