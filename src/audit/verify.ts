import { join } from 'node:path';

import { HostError, reasonOf } from '../errors.ts';
import { createAnchorCheck, formatAnchor, type Anchor } from './anchor.ts';
import { createCallCheck, type UnfinishedCall } from './call-check.ts';
import { createChainCheck } from './chain-check.ts';
import { dayFileName, listDays } from './day-file.ts';
import { createFindings, type Finding, type Findings, type Place } from './findings.ts';
import { readHeads } from './heads.ts';
import { tryFindRecord, tryOpenLine, type LineHeader } from './line.ts';
import { createOriginCheck } from './origin-check.ts';
import { readLines, type Line } from './read-lines.ts';
import { AuditRecordSchema, type AuditRecord } from './record.ts';
import { createTornCheck } from './torn-check.ts';

export interface VerifyOptions {
  /** `<state>/audit` */
  readonly directory: string;
  /** An anchor that was kept elsewhere. */
  readonly expect?: Anchor;
}

export interface Verification {
  /** Whether nothing was changed, dropped, reordered or inserted, as far as the chains, heads and anchor can tell. */
  readonly ok: boolean;
  readonly records: number;
  readonly chains: number;
  readonly problems: readonly Finding[];
  /** Problems found; `problems` holds the first 500. */
  readonly problemCount: number;
  /** Writes that a kill or a full disk cut short, and the like: no sign of tampering. */
  readonly warnings: readonly Finding[];
  readonly unfinished: readonly UnfinishedCall[];
  /** For a person to keep elsewhere; see `Anchor`. */
  readonly anchor: string;
}

/**
 * Reads the whole journal and tells what is wrong with it. Memory grows with the number of chains, not of records;
 * other processes may write meanwhile. A journal that does not exist is one without records.
 * Throws HostError `AUDIT_UNREADABLE` when the directory cannot be read.
 */
export async function verifyJournal({ directory, expect }: VerifyOptions): Promise<Verification> {
  const heads = readOrThrow(directory, () => readHeads(directory));
  const problems = createFindings();
  const warnings = createFindings();
  const chainCheck = createChainCheck(heads.byChain, problems);
  const tornCheck = createTornCheck(problems, warnings);
  const originCheck = createOriginCheck(problems);
  const anchorCheck = createAnchorCheck(expect);
  const callCheck = createCallCheck();
  let emptyLine: Place | undefined;

  const takeRecord = (line: Buffer, header: LineHeader & { readonly hash: string }, place: Place & { readonly day: string }): void => {
    chainCheck.take(header, place);
    anchorCheck.take(header.hash);
    const record = tryParseRecord(line, place, problems);
    const torn = record !== undefined && 'torn' in record ? record.torn : undefined;
    if (torn !== undefined) tornCheck.vouch(torn);
    // A record that vouches for a fragment begins on a new line, which is empty if another process had ended that one.
    else if (emptyLine !== undefined) problems.add(emptyLine, 'the line is empty');
    emptyLine = undefined;
    if (record?.kind === 'open') originCheck.open(record.after, place);
    if (record?.kind === 'intent') callCheck.intent(header.chain, pickCall(record));
    if (record?.kind === 'outcome') callCheck.outcome(header.chain, record.callId);
    if (record?.kind === 'close') callCheck.close(header.chain);
    originCheck.take(header.hash);
  };

  const takeLine = ({ bytes, number, ended }: Line, day: string): void => {
    const place = { file: dayFileName(day), line: number, day };
    if (bytes.length === 0) {
      if (emptyLine !== undefined) problems.add(emptyLine, 'the line is empty');
      emptyLine = place;
      return;
    }
    const whole = tryOpenLine(bytes);
    const at = whole === undefined ? tryFindRecord(bytes) : 0;
    if (at !== 0) tornCheck.fragment(at === undefined ? bytes : bytes.subarray(0, at), positionOf(at, ended), place);
    if (at === undefined) return;
    const record = bytes.subarray(at);
    const header = whole ?? tryOpenLine(record);
    if (header === undefined) return;
    takeRecord(record, header, place);
    if (ended) return;
    const anchored = heads.byChain.get(header.chain)?.seq ?? -1;
    const found = header.seq <= anchored ? problems : warnings;
    found.add(place, 'the newline after the last record is missing');
  };

  const days = readOrThrow(directory, () => listExistingDays(directory));
  for (const day of days) {
    try {
      for await (const lines of readLines(join(directory, dayFileName(day)))) for (const line of lines) takeLine(line, day);
    } catch (error) {
      problems.add({ file: dayFileName(day), line: 0 }, `the file cannot be read: ${reasonOf(error)}`);
    }
    if (emptyLine !== undefined) problems.add(emptyLine, 'the line is empty');
    emptyLine = undefined;
  }

  chainCheck.end(() => readOrThrow(directory, () => readHeads(directory)).byChain);
  tornCheck.end(chainCheck.chains, heads.byChain);
  await originCheck.end(days.map((day) => join(directory, dayFileName(day))));
  for (const place of heads.unreadable) problems.add(place, 'the head cannot be read');
  const mismatch = anchorCheck.mismatch();
  if (mismatch !== undefined) problems.add({ file: '', line: 0 }, mismatch);
  return {
    ok: problems.count() === 0,
    records: anchorCheck.anchor().records,
    chains: chainCheck.chains.size,
    problems: problems.list(),
    problemCount: problems.count(),
    warnings: warnings.list(),
    unfinished: callCheck.end(),
    anchor: formatAnchor(anchorCheck.anchor()),
  };
}

const positionOf = (recordAt: number | undefined, ended: boolean): 'before' | 'alone' | 'end' =>
  recordAt !== undefined ? 'before' : ended ? 'alone' : 'end';

const pickCall = ({ callId, plugin, command, time }: AuditRecord & { kind: 'intent' }): Omit<UnfinishedCall, 'chainClosed'> => ({
  callId,
  plugin,
  command,
  time,
});

/** The hash is right, so that what is wrong here was written so. */
function tryParseRecord(line: Buffer, place: Place, problems: Findings): AuditRecord | undefined {
  try {
    const parsed = AuditRecordSchema.safeParse(JSON.parse(line.toString('utf8')));
    if (parsed.success) return parsed.data;
  } catch {
    // Told below, like any other record that is none.
  }
  problems.add(place, 'the record does not have the fields that its kind has');
  return undefined;
}

function listExistingDays(directory: string): readonly string[] {
  try {
    return listDays(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function readOrThrow<Value>(directory: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new HostError('AUDIT_UNREADABLE', { directory, reason: reasonOf(error) }, { cause: error });
  }
}
