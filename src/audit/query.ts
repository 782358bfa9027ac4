import { join } from 'node:path';

import { HostError, reasonOf } from '../errors.ts';
import { dayFileName, listDays } from './day-file.ts';
import { canHold, fitsFilter, type RecordFilter } from './filter.ts';
import type { Finding } from './findings.ts';
import { tryFindRecord } from './line.ts';
import { readLines } from './read-lines.ts';
import { AuditRecordSchema, type AuditRecord } from './record.ts';

export interface QueryOptions {
  /** `<state>/audit` */
  readonly directory: string;
  readonly filter?: RecordFilter;
  /** Only the newest so many of those that fit; they are held in memory. */
  readonly limit?: number;
  /** Told of lines that cannot be read; `verifyJournal` says why. */
  onSkipped?(line: Finding): void;
}

/**
 * The records that fit, oldest first, read while they are asked for. A journal that does not exist has none.
 * Throws HostError `AUDIT_UNREADABLE`.
 */
export async function* queryJournal(options: QueryOptions): AsyncGenerator<AuditRecord> {
  const { directory, filter = {}, limit } = options;
  const days = listDaysOrThrow(directory).filter((day) => canHold(day, filter));
  if (limit === undefined) {
    for (const day of days) yield* readDay(day, options);
    return;
  }
  let newest: AuditRecord[] = [];
  for (const day of days.toReversed()) {
    if (newest.length >= limit) break;
    newest = [...(await collectLast(readDay(day, options), limit - newest.length)), ...newest];
  }
  yield* newest;
}

async function collectLast(records: AsyncIterable<AuditRecord>, limit: number): Promise<AuditRecord[]> {
  const kept: AuditRecord[] = [];
  for await (const record of records) {
    kept.push(record);
    // Cut now and then only, for each cut moves all that is kept.
    if (kept.length >= 2 * limit + 64) kept.splice(0, kept.length - limit);
  }
  return limit === 0 ? [] : kept.slice(-limit);
}

async function* readDay(day: string, options: QueryOptions): AsyncGenerator<AuditRecord> {
  const { directory, filter = {} } = options;
  const file = dayFileName(day);
  try {
    for await (const lines of readLines(join(directory, file))) {
      for (const { bytes, number } of lines) {
        if (bytes.length === 0) continue;
        const record = tryReadRecord(bytes);
        if (record === undefined) options.onSkipped?.({ file, line: number, reason: 'the line is not a record of the journal' });
        else if (fitsFilter(record, filter)) yield record;
      }
    }
  } catch (error) {
    throw toUnreadable(directory, error);
  }
}

/** A line as a record, its hash not checked; a torn write before it on its line is passed over. */
export function tryReadRecord(line: Buffer): AuditRecord | undefined {
  const record = tryParse(line);
  if (record !== undefined) return record;
  const at = tryFindRecord(line);
  return at === undefined ? undefined : tryParse(line.subarray(at));
}

function tryParse(line: Buffer): AuditRecord | undefined {
  try {
    return AuditRecordSchema.safeParse(JSON.parse(line.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** The days that have a file; none when there is no journal yet. Throws HostError `AUDIT_UNREADABLE`. */
export function listDaysOrThrow(directory: string): readonly string[] {
  try {
    return listDays(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw toUnreadable(directory, error);
  }
}

export const toUnreadable = (directory: string, error: unknown): HostError =>
  error instanceof HostError ? error : new HostError('AUDIT_UNREADABLE', { directory, reason: reasonOf(error) }, { cause: error });
