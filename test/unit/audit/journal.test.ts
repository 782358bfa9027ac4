import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test, vi } from 'vitest';

import { MAX_LINE_BYTES } from '../../../src/audit/line.ts';
import { queryJournal } from '../../../src/audit/query.ts';
import { AuditRecordSchema } from '../../../src/audit/record.ts';
import { redactArguments } from '../../../src/audit/redact.ts';
import { verifyJournal } from '../../../src/audit/verify.ts';
import { anIntent, anOutcome, collect, useJournal } from '../../helpers/journal.ts';

const noon = Date.UTC(2026, 0, 31, 12);
const linesOf = (directory: string, file: string): string[] => readFileSync(join(directory, file), 'utf8').trimEnd().split('\n');

describe('createJournal()', () => {
  test('writes a chain of records that its schema accepts', async () => {
    const { directory, open } = useJournal();
    const journal = open({ clock: () => noon });
    journal.event({ event: 'started' });
    journal.intent(anIntent('c1'));
    journal.outcome(anOutcome('c1', { refusals: [{ capability: 'net:x:1', by: 'policy', reason: 'token=abc is secret' }] }));
    journal.close();
    const records = linesOf(directory, '2026-01-31.jsonl').map((line) => AuditRecordSchema.parse(JSON.parse(line)));
    expect(records.map(({ kind, seq }) => `${seq} ${kind}`)).toEqual(['0 open', '1 event', '2 intent', '3 outcome', '4 close']);
    expect(records[3]).toMatchObject({ refusals: [{ reason: 'token=[redacted] is secret' }], time: '2026-01-31T12:00:00.000Z' });
    expect(records[2]?.prev).toBe(records[1]?.hash);
    expect(await verifyJournal({ directory })).toMatchObject({
      ok: true,
      records: 5,
      chains: 1,
      problems: [],
      warnings: [],
      unfinished: [],
    });
  });

  test('is for its owner alone, and becomes so', () => {
    const { directory, open } = useJournal();
    mkdirSync(directory, { mode: 0o755 });
    writeFileSync(join(directory, '2026-01-31.jsonl'), '');
    chmodSync(join(directory, '2026-01-31.jsonl'), 0o644);
    const journal = open({ clock: () => noon });
    journal.event({ event: 'started' });
    const modes = [directory, join(directory, '2026-01-31.jsonl'), join(directory, 'heads')].map((path) => statSync(path).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600, 0o700]);
    journal.close();
    expect(statSync(join(directory, 'heads', 'closed.jsonl')).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, 'heads'))).toEqual(['closed.jsonl']);
  });

  test('leaves nothing when nothing is recorded', () => {
    const { directory, open } = useJournal();
    open().close();
    expect(readdirSync(directory)).toEqual([]);
  });

  test('goes on in the file of the next day, and stays there when the clock goes back', async () => {
    const { directory, open } = useJournal();
    let nowMs = noon;
    const journal = open({ clock: () => nowMs });
    journal.intent(anIntent('c1'));
    nowMs += 86_400_000;
    journal.outcome(anOutcome('c1'));
    nowMs -= 86_400_000;
    journal.event({ event: 'clock-went-back' });
    journal.close();
    expect(linesOf(directory, '2026-01-31.jsonl')).toHaveLength(2);
    expect(linesOf(directory, '2026-02-01.jsonl')).toHaveLength(3);
    expect(await verifyJournal({ directory })).toMatchObject({ ok: true, records: 5 });
  });

  test('syncs each record and moves its head when asked to', () => {
    const { directory, open } = useJournal();
    const journal = open({ sync: 'each' });
    journal.event({ event: 'one' });
    journal.event({ event: 'two' });
    const [head] = readdirSync(join(directory, 'heads'));
    expect(JSON.parse(readFileSync(join(directory, 'heads', head ?? ''), 'utf8'))).toMatchObject({ seq: 2 });
    journal.close();
  });

  test('moves its head with the grouped sync', async () => {
    const { directory, open } = useJournal();
    const journal = open({ syncIntervalMs: 1 });
    for (const event of ['one', 'two', 'three']) journal.event({ event });
    const [head = ''] = readdirSync(join(directory, 'heads'));
    await vi.waitFor(() => expect(JSON.parse(readFileSync(join(directory, 'heads', head), 'utf8'))).toMatchObject({ seq: 3 }));
    journal.close();
  });

  test('cuts what would be longer than a line may be', async () => {
    const { directory, open } = useJournal();
    const journal = open();
    const many = Array.from({ length: 5000 }, (_, at) => `write:fs:${at}/${'\u0001'.repeat(100)}`);
    const refusals = many.map((capability) => ({ capability, by: 'policy', reason: '\u0001'.repeat(2000) }));
    journal.intent(anIntent('c1', { client: { name: 'x'.repeat(1e6), version: '1' }, capabilities: many }));
    journal.outcome(anOutcome('c1', { used: many, refusals }));
    journal.event({ event: 'e', detail: { text: 'x'.repeat(1e6), password: 'x' } });
    journal.close();
    const [, intent, outcome, event] = await collect(queryJournal({ directory }));
    expect(intent).toMatchObject({ kind: 'intent', arguments: '[cut]', client: { name: `${'x'.repeat(128)}…[cut]` } });
    expect(outcome).toMatchObject({ kind: 'outcome', refusals: { length: 9 }, used: { length: 9 } });
    expect(event).toMatchObject({ detail: { password: '[redacted]' } });
    for (const file of readdirSync(directory).filter((name) => name.endsWith('.jsonl')))
      for (const line of linesOf(directory, file)) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(MAX_LINE_BYTES);
    expect((await verifyJournal({ directory })).problems).toEqual([]);
  });

  test('fits the largest arguments that redaction leaves', async () => {
    const { directory, open } = useJournal();
    const journal = open();
    const worst = Array.from({ length: 64 }, () => Array.from({ length: 64 }, () => '\0'.repeat(300)));
    journal.intent(anIntent('c1', { arguments: redactArguments(worst) }));
    journal.close();
    const [, intent] = await collect(queryJournal({ directory }));
    expect(intent).toMatchObject({ kind: 'intent', arguments: { length: 64 } });
  });
});

describe('a record that cannot be written', () => {
  test('throws when the directory is gone, and is written once it is back', async () => {
    const { directory, open } = useJournal();
    const journal = open({ clock: () => noon });
    journal.intent(anIntent('c1'));
    renameSync(directory, `${directory}-away`);
    expect(() => journal.intent(anIntent('c2'))).toThrow(
      expect.objectContaining({
        code: 'AUDIT_UNWRITABLE',
        message: `Cannot write the audit record to "${directory}/2026-01-31.jsonl": ENOENT: no such file or directory, open '${directory}/2026-01-31.jsonl'; no call runs unrecorded`,
      }),
    );
    renameSync(`${directory}-away`, directory);
    journal.intent(anIntent('c3'));
    journal.close();
    expect(await verifyJournal({ directory })).toMatchObject({ ok: true, unfinished: [{ callId: 'c1' }, { callId: 'c3' }] });
  });

  test('is written to a new file when the old one was taken away, which shows', async () => {
    const { directory, open } = useJournal();
    const journal = open({ clock: () => noon });
    journal.intent(anIntent('c1'));
    rmSync(join(directory, '2026-01-31.jsonl'));
    journal.intent(anIntent('c2'));
    journal.close();
    expect(linesOf(directory, '2026-01-31.jsonl')).toHaveLength(2);
    expect((await verifyJournal({ directory })).problems).toMatchObject([
      { line: 1, reason: expect.stringMatching(/begins with record 2: the ones before it are missing$/) },
    ]);
  });

  test.for(['directory', 'link'] as const)('throws when a %s is in its place', (kind) => {
    const { directory, open } = useJournal();
    mkdirSync(directory);
    if (kind === 'directory') mkdirSync(join(directory, '2026-01-31.jsonl'));
    else symlinkSync('/dev/null', join(directory, '2026-01-31.jsonl'));
    expect(() => open({ clock: () => noon }).intent(anIntent('c1'))).toThrow(expect.objectContaining({ code: 'AUDIT_UNWRITABLE' }));
  });

  test('throws at once when the directory cannot be made', () => {
    const { directory, open } = useJournal();
    writeFileSync(directory, '');
    expect(() => open()).toThrow(expect.objectContaining({ code: 'AUDIT_UNWRITABLE' }));
  });

  test('throws after the end', () => {
    const { directory, open } = useJournal();
    const journal = open({ clock: () => noon });
    journal.event({ event: 'x' });
    journal.close();
    journal.close();
    expect(() => journal.event({ event: 'y' })).toThrow(
      `Cannot write the audit record to "${directory}": the journal is closed; no call runs unrecorded`,
    );
  });
});

test('a journal that finds a torn line vouches for it', async () => {
  const { directory, open } = useJournal();
  const killed = open({ clock: () => noon });
  killed.intent(anIntent('c1'));
  killed.flush();
  const [, second = ''] = linesOf(directory, '2026-01-31.jsonl');
  appendFileSync(join(directory, '2026-01-31.jsonl'), second.replace('"seq":1,', '"seq":2,').slice(0, 200));
  expect(await verifyJournal({ directory })).toMatchObject({
    ok: true,
    warnings: [{ line: 3, reason: 'a write did not finish here: its process was killed, or is writing now' }],
  });
  const next = open({ clock: () => noon });
  next.intent(anIntent('c2'));
  next.close();
  expect(await verifyJournal({ directory })).toMatchObject({
    ok: true,
    chains: 2,
    warnings: [{ line: 3, reason: 'a write did not finish here, which the record after it says' }],
  });
  expect(linesOf(directory, '2026-01-31.jsonl')).toHaveLength(6);
});
