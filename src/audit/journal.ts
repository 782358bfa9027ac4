import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, statSync } from 'node:fs';

import { HostError, reasonOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { createAppender } from './appender.ts';
import { findLastHash } from './day-file.ts';
import { createHeadWriter, type HeadWriter } from './heads.ts';
import { MAX_LINE_BYTES, NO_HASH, trySealLine } from './line.ts';
import type { EventFields, IntentFields, OutcomeFields, RecordKind, Torn } from './record.ts';
import { boundValue } from './redact.ts';
import { maskSecrets } from './secret-shapes.ts';
import { shrinkFields } from './shrink.ts';

export interface JournalOptions {
  /** `<state>/audit`; made with mode 0700 when it is missing. */
  readonly directory: string;
  /** Milliseconds since 1970, UTC. */
  readonly clock: () => number;
  /** `grouped`: to the disk every `syncIntervalMs`; `each`: before the call that wrote the record goes on. */
  readonly sync: 'grouped' | 'each';
  /** Default 100. */
  readonly syncIntervalMs?: number;
  readonly log: Log;
}

/**
 * The audit journal of this process. Every function returns after the kernel has the record, so that no kill of this
 * process loses it, and throws HostError `AUDIT_UNWRITABLE` otherwise: the call must then not go on.
 *
 * One process writes one chain of hashes; several append to the same files. The hashes prove that nothing was changed,
 * dropped, reordered or inserted since, as long as the heads beside the journal, or an anchor that a person keeps
 * elsewhere, were not rewritten with it. They do not prove who wrote it: whoever can write the state directory can
 * start a journal of his own.
 */
export interface Journal {
  intent(fields: IntentFields): void;
  outcome(fields: OutcomeFields): void;
  event(fields: EventFields): void;
  /** Waits until everything written is on the disk. */
  flush(): void;
  /** Ends the chain and syncs; safe to call twice. Nothing can be written after it. */
  close(): void;
}

/** Makes the directory; the chain is opened by the first record, so that a process that records nothing leaves nothing. */
export function createJournal({ directory, clock, sync, syncIntervalMs = 100, log }: JournalOptions): Journal {
  const chain = randomBytes(8).toString('hex');
  const appender = createAppender(directory, (path) => {
    log.error({ path }, 'the audit journal was taken away while in use; its records until now are gone from there');
  });
  const scratch = Buffer.allocUnsafeSlow(MAX_LINE_BYTES + 1);
  let heads: HeadWriter | undefined;
  let seq = 0;
  let prev = NO_HASH;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let syncing = false;
  let syncFailed = false;

  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if ((statSync(directory).mode & 0o077) !== 0) chmodSync(directory, 0o700);
  } catch (error) {
    throw new HostError('AUDIT_UNWRITABLE', { file: directory, reason: reasonOf(error) }, { cause: error });
  }

  const moveHead = (head: { seq: number; hash: string }): void => heads?.write({ chain, ...head });

  const syncNow = (): void => {
    appender.syncNow();
    syncFailed = false;
    moveHead({ seq: seq - 1, hash: prev });
  };

  const scheduleSync = (): void => {
    if (timer !== undefined || syncing) return;
    timer = setTimeout(() => {
      timer = undefined;
      syncing = true;
      const head = { seq: seq - 1, hash: prev };
      appender.sync((error) => {
        syncing = false;
        try {
          if (error !== undefined) throw error;
          if (!closed) moveHead(head);
        } catch (failure) {
          syncFailed = true;
          log.error({ err: failure }, 'cannot sync the audit journal to the disk');
        }
        if (!closed && seq - 1 > head.seq) scheduleSync();
      });
    }, syncIntervalMs);
    timer.unref();
  };

  const write = (kind: RecordKind, time: string, fields: object, vouches: boolean): void => {
    const header = { chain, seq, prev, time, kind };
    const line = trySealLine(header, JSON.stringify(fields), scratch) ?? trySealLine(header, JSON.stringify(shrinkFields(fields)), scratch);
    if (line === undefined) throw new Error(`a record is longer than ${MAX_LINE_BYTES} bytes`);
    appender.append(line.bytes, vouches);
    seq += 1;
    prev = line.hash;
  };

  /** Fragments that are already at the end of the file are named by the record that follows them. */
  const vouch = (): { torn: readonly Torn[] } | undefined => (appender.torn().length > 0 ? { torn: appender.torn() } : undefined);

  const openChain = (time: string): void => {
    heads ??= createHeadWriter(directory, chain);
    moveHead({ seq: -1, hash: NO_HASH });
    const torn = vouch();
    write('open', time, { pid: process.pid, after: findLastHash(directory), ...torn }, torn !== undefined);
  };

  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (error) {
      throw new HostError('AUDIT_UNWRITABLE', { file: appender.path(), reason: reasonOf(error) }, { cause: error });
    }
  };

  const record = (kind: RecordKind, fields: object): void =>
    attempt(() => {
      if (closed) throw new Error('the journal is closed');
      const time = new Date(clock()).toISOString();
      // What an outcome tells has happened already; what has not begun must not begin unrecorded.
      appender.ready(time, kind !== 'outcome');
      if (syncFailed) syncNow();
      if (seq === 0) openChain(time);
      const torn = vouch();
      if (torn !== undefined) write('event', time, { event: 'torn-line', ...torn }, true);
      write(kind, time, fields, false);
      if (sync === 'each') syncNow();
      else scheduleSync();
    });

  const endChain = (): void => {
    record('close', { pid: process.pid });
    attempt(() => {
      syncNow();
      heads?.close({ chain, seq: seq - 1, hash: prev });
    });
  };

  return {
    intent: (fields) => record('intent', fields),
    outcome(fields) {
      if (fields.refusals.length === 0) return record('outcome', fields);
      // A reason may quote what a plugin sent.
      const refusals = fields.refusals.map((refusal) => ({ ...refusal, reason: maskSecrets(refusal.reason.slice(0, 1024)) }));
      record('outcome', { ...fields, refusals });
    },
    event: (fields) => record('event', fields.detail === undefined ? fields : { ...fields, detail: boundValue(fields.detail) }),
    flush() {
      if (seq > 0 && !closed) attempt(syncNow);
    },
    close() {
      if (closed) return;
      try {
        if (seq > 0) endChain();
      } finally {
        closed = true;
        clearTimeout(timer);
        appender.close();
      }
    },
  };
}
