import { dayOf } from './day-file.ts';
import type { AuditRecord, OutcomeRecord, RecordKind } from './record.ts';

/** Which records are wanted; members that are absent want all. Records without the member asked for do not fit. */
export interface RecordFilter {
  /** Milliseconds since 1970, UTC; from this one on. */
  readonly sinceMs?: number;
  /** Before this one. */
  readonly untilMs?: number;
  readonly kinds?: readonly RecordKind[];
  readonly plugin?: string;
  readonly command?: string;
  /** The client’s name. */
  readonly client?: string;
  readonly callId?: string;
  /** Outcomes that ended so. */
  readonly outcome?: OutcomeRecord['outcome'];
  /** Outcomes that were refused, or had a use of a capability refused. */
  readonly refused?: boolean;
}

export function fitsFilter(record: AuditRecord, filter: RecordFilter): boolean {
  const timeMs = Date.parse(record.time);
  if (filter.sinceMs !== undefined && timeMs < filter.sinceMs) return false;
  if (filter.untilMs !== undefined && timeMs >= filter.untilMs) return false;
  if (filter.kinds !== undefined && !filter.kinds.includes(record.kind)) return false;
  if (filter.plugin !== undefined && !('plugin' in record && record.plugin === filter.plugin)) return false;
  if (filter.command !== undefined && !('command' in record && record.command === filter.command)) return false;
  if (filter.client !== undefined && !('client' in record && record.client.name === filter.client)) return false;
  if (filter.callId !== undefined && !('callId' in record && record.callId === filter.callId)) return false;
  if (filter.outcome !== undefined && !(record.kind === 'outcome' && record.outcome === filter.outcome)) return false;
  if (filter.refused === undefined) return true;
  const refused = record.kind === 'outcome' && (record.outcome === 'refused' || record.refusals.length > 0);
  return record.kind === 'outcome' && refused === filter.refused;
}

const DAY_MS = 86_400_000;

/** Whether the file of a day can hold records of the time wanted; a clock that was set back leaves them in a later one. */
export function canHold(day: string, filter: RecordFilter): boolean {
  if (filter.sinceMs !== undefined && day < toDay(filter.sinceMs)) return false;
  return filter.untilMs === undefined || day <= toDay(filter.untilMs + DAY_MS);
}

/** Times outside of what a date can be are further away than any record. */
const toDay = (timeMs: number): string => {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? (timeMs < 0 ? '' : '9999') : dayOf(date.toISOString());
};
