import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import type { RecordFilter } from '../../src/audit/filter.ts';
import type { Finding } from '../../src/audit/findings.ts';
import { followJournal } from '../../src/audit/follow.ts';
import { queryJournal } from '../../src/audit/query.ts';
import { anIntent, anOutcome, collect, useJournal } from '../helpers/journal.ts';

const DAY_MS = 86_400_000;
const noon = Date.UTC(2026, 0, 31, 12);

/** A call a day for three days. */
function useThreeDays(): string {
  const { directory, open } = useJournal();
  let nowMs = noon;
  const journal = open({ clock: () => nowMs });
  journal.intent(anIntent('ok'));
  journal.outcome(anOutcome('ok'));
  nowMs += DAY_MS;
  journal.intent(anIntent('no', { plugin: 'brain', command: 'ask' }));
  journal.outcome(anOutcome('no', { plugin: 'brain', command: 'ask', outcome: 'refused' }));
  nowMs += DAY_MS;
  journal.intent(anIntent('part', { client: { name: 'zed', version: '1' } }));
  journal.outcome(
    anOutcome('part', { client: { name: 'zed', version: '1' }, refusals: [{ capability: 'net:x:1', by: 'policy', reason: 'no' }] }),
  );
  journal.event({ event: 'reloaded', plugin: 'brain' });
  journal.close();
  return directory;
}

describe('queryJournal()', () => {
  test.for<[RecordFilter, string[]]>([
    [{}, ['open', 'intent ok', 'outcome ok', 'intent no', 'outcome no', 'intent part', 'outcome part', 'event', 'close']],
    [{ plugin: 'brain' }, ['intent no', 'outcome no', 'event']],
    [{ plugin: 'none' }, []],
    [{ command: 'ask' }, ['intent no', 'outcome no']],
    [{ client: 'zed' }, ['intent part', 'outcome part']],
    [{ callId: 'ok' }, ['intent ok', 'outcome ok']],
    [{ outcome: 'refused' }, ['outcome no']],
    [{ outcome: 'ok' }, ['outcome ok', 'outcome part']],
    [{ refused: true }, ['outcome no', 'outcome part']],
    [{ refused: false }, ['outcome ok']],
    [{ kinds: ['open', 'close'] }, ['open', 'close']],
    [{ sinceMs: noon + 1 }, ['intent no', 'outcome no', 'intent part', 'outcome part', 'event', 'close']],
    [{ sinceMs: noon + DAY_MS, untilMs: noon + 2 * DAY_MS }, ['intent no', 'outcome no']],
    [{ sinceMs: -1e20, untilMs: 1e20, outcome: 'refused' }, ['outcome no']],
  ])('with %j', async ([filter, wanted]) => {
    const found = await collect(queryJournal({ directory: useThreeDays(), filter }));
    expect(found.map((record) => ('callId' in record ? `${record.kind} ${record.callId}` : record.kind))).toEqual(wanted);
  });

  test.for([0, 1, 2, 4, 100])('gives the newest %i when limited', async (limit) => {
    const directory = useThreeDays();
    const all = await collect(queryJournal({ directory }));
    expect(await collect(queryJournal({ directory, limit }))).toEqual(limit === 0 ? [] : all.slice(-limit));
  });

  test('tells of lines that it cannot read and goes on', async () => {
    const directory = useThreeDays();
    appendFileSync(join(directory, '2026-01-31.jsonl'), 'nonsense\n{"v":2}\n');
    const skipped: Finding[] = [];
    expect(await collect(queryJournal({ directory, onSkipped: (line) => skipped.push(line) }))).toHaveLength(9);
    expect(skipped.map(({ file, line }) => `${file}:${line}`)).toEqual(['2026-01-31.jsonl:4', '2026-01-31.jsonl:5']);
  });

  test('finds nothing where there is no journal, and throws where there is a file', async () => {
    const { directory } = useJournal();
    expect(await collect(queryJournal({ directory }))).toEqual([]);
    writeFileSync(directory, '');
    await expect(collect(queryJournal({ directory }))).rejects.toThrow(expect.objectContaining({ code: 'AUDIT_UNREADABLE' }));
  });
});

describe('followJournal()', () => {
  test('gives what is written from now on, across midnight, until the signal', async () => {
    const { directory, open } = useJournal();
    let nowMs = noon;
    const journal = open({ clock: () => nowMs });
    journal.intent(anIntent('before'));
    const abort = new AbortController();
    const follow = followJournal({ directory, signal: abort.signal, filter: { kinds: ['intent'] } });
    const next = follow.next();
    journal.intent(anIntent('one'));
    expect((await next).value).toMatchObject({ callId: 'one' });
    nowMs += DAY_MS;
    journal.outcome(anOutcome('one'));
    journal.intent(anIntent('two'));
    expect((await follow.next()).value).toMatchObject({ callId: 'two' });
    const last = follow.next();
    abort.abort();
    expect(await last).toEqual({ done: true, value: undefined });
    journal.close();
  });

  test('gives what is there first when asked since when, and waits for a journal that does not exist yet', async () => {
    const { directory, open } = useJournal();
    const abort = new AbortController();
    const follow = followJournal({ directory: join(directory, 'later'), signal: abort.signal, pollIntervalMs: 10 });
    const next = follow.next();
    const journal = open({ directory: join(directory, 'later') });
    journal.event({ event: 'x' });
    expect((await next).value).toMatchObject({ kind: 'open' });
    const since = followJournal({ directory: join(directory, 'later'), signal: abort.signal, filter: { sinceMs: 0 } });
    expect((await since.next()).value).toMatchObject({ kind: 'open' });
    expect((await since.next()).value).toMatchObject({ kind: 'event' });
    abort.abort();
    expect(await since.next()).toMatchObject({ done: true });
    journal.close();
  });

  test('gives a line only when it is whole', async () => {
    const { directory, open } = useJournal();
    const journal = open({ clock: () => noon });
    journal.event({ event: 'x' });
    const abort = new AbortController();
    const follow = followJournal({ directory, signal: abort.signal, pollIntervalMs: 5 });
    const next = follow.next();
    appendFileSync(join(directory, '2026-01-31.jsonl'), 'half a line');
    await new Promise((resolve) => setTimeout(resolve, 20));
    journal.event({ event: 'y' });
    appendFileSync(join(directory, '2026-01-31.jsonl'), '\n');
    journal.event({ event: 'z' });
    expect((await next).value).toMatchObject({ event: 'y' });
    abort.abort();
    journal.close();
  });
});
