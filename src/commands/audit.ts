import { join } from 'node:path';

import { tryParseAnchor } from '../audit/anchor.ts';
import type { RecordFilter } from '../audit/filter.ts';
import { followJournal } from '../audit/follow.ts';
import { queryJournal } from '../audit/query.ts';
import type { AuditRecord, OutcomeRecord } from '../audit/record.ts';
import { verifyJournal } from '../audit/verify.ts';
import { findOwnPaths } from '../config/paths.ts';
import { EXIT } from './exit-codes.ts';
import { printable, writeJson, type Output } from './output.ts';
import { tryReadTime } from './time-argument.ts';

export interface AuditOptions {
  readonly plugin?: string;
  readonly command?: string;
  readonly client?: string;
  readonly call?: string;
  readonly since?: string;
  readonly until?: string;
  readonly outcome?: OutcomeRecord['outcome'];
  readonly limit?: string;
  readonly follow: boolean;
  readonly expect?: string;
  readonly json: boolean;
  readonly output: Output;
}

/** `plugbridge audit [query|verify]`. Reads the journal only; it needs no host and writes nothing. */
export function runAudit(what: string, options: AuditOptions): Promise<number> {
  const directory = join(findOwnPaths(process.env).state, 'audit');
  if (what === 'verify') return verify(directory, options);
  if (what === 'query') return query(directory, options);
  options.output.note(`Cannot do "audit ${what}": wanted is query or verify`);
  return Promise.resolve(EXIT.usage);
}

async function verify(directory: string, { expect, json, output }: AuditOptions): Promise<number> {
  const anchor = expect === undefined ? undefined : tryParseAnchor(expect);
  if (expect !== undefined && !anchor) {
    output.note(`--expect is ${JSON.stringify(expect)}, wanted is an anchor that an earlier verify printed`);
    return EXIT.usage;
  }
  const found = await verifyJournal({ directory, ...(anchor ? { expect: anchor } : {}) });
  if (json) writeJson(output, found);
  else {
    for (const { file, line, reason } of found.problems) output.write(`problem  ${file}:${line}: ${printable(reason)}`);
    if (found.problemCount > found.problems.length) output.write(`problem  and ${found.problemCount - found.problems.length} more`);
    for (const { file, line, reason } of found.warnings) output.write(`warning  ${file}:${line}: ${printable(reason)}`);
    for (const call of found.unfinished)
      output.write(`no end   ${call.time} ${printable(`${call.plugin} ${call.command}`)} ${call.callId}`);
    output.write(
      `${found.ok ? 'The journal is intact' : 'The journal was tampered with'}: ${found.records} records in ${found.chains} chains`,
    );
    output.write(`Anchor ${found.anchor}`);
  }
  return found.ok ? EXIT.ok : EXIT.integrity;
}

async function query(directory: string, options: AuditOptions): Promise<number> {
  const { output, json } = options;
  const filter = readFilter(options);
  if (typeof filter === 'string') {
    output.note(filter);
    return EXIT.usage;
  }
  const show = (record: AuditRecord): void => output.write(json ? JSON.stringify(record) : describeRecord(record));
  const limit = options.limit === undefined ? undefined : Number(options.limit);
  const unreadable: string[] = [];
  const onSkipped = ({ file, line, reason }: { file: string; line: number; reason: string }): number =>
    unreadable.push(`${file}:${line}: ${reason}`);
  for await (const record of queryJournal({ directory, filter, onSkipped, ...(limit === undefined ? {} : { limit }) })) show(record);
  for (const line of unreadable) output.note(`Passed over ${line}; plugbridge audit verify tells more`);
  if (options.follow) await follow(directory, filter, show);
  return EXIT.ok;
}

async function follow(directory: string, { sinceMs: _since, ...filter }: RecordFilter, show: (record: AuditRecord) => void): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  for await (const record of followJournal({ directory, filter, signal: stop.signal })) show(record);
}

function readFilter(options: AuditOptions): RecordFilter | string {
  const now = Date.now();
  const since = options.since === undefined ? undefined : tryReadTime(options.since, now);
  const until = options.until === undefined ? undefined : tryReadTime(options.until, now);
  const bad =
    options.since !== undefined && since === undefined
      ? options.since
      : options.until !== undefined && until === undefined
        ? options.until
        : undefined;
  if (bad !== undefined) return `Cannot read the time ${JSON.stringify(bad)}: wanted is ISO 8601, or 30m, 12h, 7d`;
  if (options.limit !== undefined && !/^\d{1,7}$/.test(options.limit))
    return `--limit is ${JSON.stringify(options.limit)}, wanted is a whole number`;
  return {
    ...(since === undefined ? {} : { sinceMs: since }),
    ...(until === undefined ? {} : { untilMs: until }),
    ...(options.plugin === undefined ? {} : { plugin: options.plugin }),
    ...(options.command === undefined ? {} : { command: options.command }),
    ...(options.client === undefined ? {} : { client: options.client }),
    ...(options.call === undefined ? {} : { callId: options.call }),
    ...(options.outcome === undefined ? {} : { outcome: options.outcome }),
  };
}

/** One record as one line for people. */
function describeRecord(record: AuditRecord): string {
  const head = `${record.time} ${record.kind.padEnd(7)}`;
  switch (record.kind) {
    case 'intent':
      return printable(
        `${head} ${record.plugin} ${record.command} by ${record.client.name} (${record.transport}) ${JSON.stringify(record.arguments)}`,
      );
    case 'outcome': {
      const error = record.error === undefined ? '' : ` ${record.error}`;
      const exit = record.exit === undefined ? '' : ` (${record.exit})`;
      const unenforced = record.unenforced === undefined ? '' : ` without ${record.unenforced.join(', ')}`;
      const refused = record.refusals.length === 0 ? '' : ` refused ${record.refusals.map((one) => one.capability).join(' ')}`;
      return printable(
        `${head} ${record.plugin} ${record.command} ${record.outcome}${error}${exit} ${record.durationMs} ms ${record.tier}${unenforced}${refused}`,
      );
    }
    case 'event':
      return printable(
        `${head} ${record.event}${record.plugin === undefined ? '' : ` ${record.plugin}`} ${JSON.stringify(record.detail ?? {})}`,
      );
    case 'open':
    case 'close':
      return `${head} chain ${record.chain} of process ${record.pid}`;
  }
}
