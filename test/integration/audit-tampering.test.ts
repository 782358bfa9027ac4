import { appendFileSync, copyFileSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { tryParseAnchor } from '../../src/audit/anchor.ts';
import { verifyJournal } from '../../src/audit/verify.ts';
import { anIntent, anOutcome, useJournal } from '../helpers/journal.ts';

const DAY_MS = 86_400_000;
const noon = Date.UTC(2026, 0, 31, 12);

/** Two chains, one after the other, over two days. */
function useWritten(): string {
  const { directory, open } = useJournal();
  let nowMs = noon;
  for (const name of ['a', 'b']) {
    const journal = open({ clock: () => nowMs++ });
    for (let at = 0; at < 4; at++) {
      if (name === 'b' && at === 2) nowMs += DAY_MS;
      journal.intent(anIntent(`${name}${at}`));
      journal.outcome(anOutcome(`${name}${at}`));
    }
    journal.close();
  }
  return directory;
}
const first = '2026-01-31.jsonl';
const second = '2026-02-01.jsonl';
const reasons = async (directory: string): Promise<string[]> =>
  (await verifyJournal({ directory })).problems.map(({ reason }) => reason.replaceAll(/[0-9a-f]{16}/g, 'X'));
const editLines = (directory: string, file: string, edit: (lines: string[]) => string[]): void =>
  writeFileSync(join(directory, file), edit(readFileSync(join(directory, file), 'utf8').split('\n')).join('\n'));

test('any one change to the bytes or lines of a journal is found', { timeout: 120_000 }, async () => {
  const directory = useWritten();
  expect(await verifyJournal({ directory })).toMatchObject({ ok: true, records: 20, chains: 2, problems: [], warnings: [] });
  const files = [first, second].map((file) => ({ file, bytes: readFileSync(join(directory, file)) }));
  const change = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('drop-byte' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('insert-byte' as const), at: fc.nat(), byte: fc.nat(255) }),
    fc.record({ kind: fc.constant('truncate' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('drop-line' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('double-line' as const), at: fc.nat(), to: fc.nat() }),
    fc.record({ kind: fc.constant('swap-lines' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('move-line' as const), at: fc.nat(), to: fc.nat() }),
  );
  type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;
  const apply = (bytes: Buffer, made: Change): Buffer => {
    const at = made.at % bytes.length;
    const lines = bytes.toString('latin1').split('\n').slice(0, -1);
    const line = made.at % lines.length;
    const toBytes = (changed: string[]): Buffer => Buffer.from(changed.map((text) => `${text}\n`).join(''), 'latin1');
    switch (made.kind) {
      case 'flip': {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << made.bit);
        return flipped;
      }
      case 'drop-byte':
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
      case 'insert-byte':
        return Buffer.concat([bytes.subarray(0, at), Buffer.from([made.byte]), bytes.subarray(at)]);
      case 'truncate':
        return bytes.subarray(0, at);
      case 'drop-line':
        return toBytes(lines.toSpliced(line, 1));
      case 'double-line':
        return toBytes(lines.toSpliced(made.to % (lines.length + 1), 0, lines[line] ?? ''));
      case 'swap-lines': {
        // The last record of one chain and the first of the next are in no chain’s order to each other.
        const upper = lines[line + 1]?.includes('"kind":"open"') ? line - 1 : line;
        return toBytes(lines.toSpliced(upper, 2, lines[upper + 1] ?? 'x', lines[upper] ?? 'x'));
      }
      case 'move-line': {
        const to = (line + 1 + (made.to % Math.max(1, lines.length - 1))) % lines.length;
        return toBytes(lines.toSpliced(line, 1).toSpliced(to, 0, lines[line] ?? ''));
      }
    }
  };
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...files), change, async ({ file, bytes }, made) => {
      const changed = apply(bytes, made);
      fc.pre(!changed.equals(bytes) && !isOnlyInterleaving(bytes, changed));
      writeFileSync(join(directory, file), changed);
      const found = await verifyJournal({ directory });
      writeFileSync(join(directory, file), bytes);
      expect(found.ok).toBe(false);
      expect(found.problems).not.toEqual([]);
    }),
    { numRuns: 500 },
  );
});

/** Chains are in no order to each other: only an anchor pins how they interleave. */
function isOnlyInterleaving(before: Buffer, after: Buffer): boolean {
  const byChain = (bytes: Buffer): string =>
    bytes
      .toString('latin1')
      .split('\n')
      .toSorted((a, b) => (a.slice(0, 35) < b.slice(0, 35) ? -1 : a.slice(0, 35) > b.slice(0, 35) ? 1 : 0))
      .join('\n');
  return byChain(before) === byChain(after);
}

describe('verifyJournal() finds', () => {
  test('a changed record, and says where', async () => {
    const directory = useWritten();
    editLines(directory, first, (lines) => lines.with(3, (lines[3] ?? '').replace('capture', 'capturf')));
    expect((await verifyJournal({ directory })).problems).toMatchObject([
      { file: first, line: 4, reason: 'the line is not a record of the journal' },
      { file: first, line: 5, reason: expect.stringMatching(/^records 3 to 3 of chain \w+ are missing here$/) },
    ]);
  });

  test('records dropped off the end', async () => {
    const directory = useWritten();
    editLines(directory, second, (lines) => [...lines.slice(0, -3), '']);
    expect(await reasons(directory)).toEqual(['records 8 to 9 of chain X are missing at its end']);
  });

  test('a chain dropped whole, by its head and by the chain after it', async () => {
    const directory = useWritten();
    editLines(directory, first, (lines) => lines.slice(10));
    const missed = ['the last record that was there when this chain opened is missing', 'chain X is missing: it had 10 records'];
    expect(await reasons(directory)).toEqual(missed);
    editLines(join(directory, 'heads'), 'closed.jsonl', (lines) => lines.slice(1));
    expect(await reasons(directory)).toEqual(missed.slice(0, 1));
  });

  test('a day dropped whole', async () => {
    const directory = useWritten();
    rmSync(join(directory, second));
    expect(await reasons(directory)).toEqual(['records 5 to 9 of chain X are missing at its end']);
  });

  test('a day in the place of another', async () => {
    const directory = useWritten();
    renameSync(join(directory, second), join(directory, '2026-02-02.jsonl'));
    expect(new Set(await reasons(directory))).toEqual(
      new Set([5, 6, 7, 8, 9].map((seq) => `record ${seq} of chain X belongs to the file of 2026-02-01`)),
    );
  });

  test('a record that stands twice', async () => {
    const directory = useWritten();
    editLines(directory, first, (lines) => lines.toSpliced(3, 0, lines[2] ?? ''));
    expect(await reasons(directory)).toEqual(['record 2 of chain X is there twice']);
  });

  test('a chain added with heads of another', async () => {
    const directory = useWritten();
    const { directory: other, open } = useJournal();
    const journal = open({ clock: () => noon + 2 * DAY_MS });
    journal.event({ event: 'forged' });
    journal.close();
    copyFileSync(join(other, '2026-02-02.jsonl'), join(directory, '2026-02-02.jsonl'));
    expect(await reasons(directory)).toEqual(['the head of chain X is missing']);
  });

  test.for(['{', '{"chain":"x"}', 'not json'])('a head that is %s', async (text) => {
    const directory = useWritten();
    appendFileSync(join(directory, 'heads', 'closed.jsonl'), `${text}\n`);
    expect((await verifyJournal({ directory })).problems).toEqual([
      { file: 'heads/closed.jsonl', line: 3, reason: 'the head cannot be read' },
    ]);
  });

  test.for([
    ['an empty line', '\n'],
    ['a line that never ends', `${'x'.repeat(2_000_000)}\n`],
    ['bytes without a newline that no record begins with', 'x'],
    ['JSON of somebody else', '{"v":1}\n'],
  ] as const)('%s', async ([, text]) => {
    const directory = useWritten();
    appendFileSync(join(directory, second), text);
    expect(await verifyJournal({ directory })).toMatchObject({ ok: false, problems: [{ file: second, line: 6 }] });
  });
});

describe('an anchor', () => {
  test('still fits a journal that has grown', async () => {
    const { directory, open } = useJournal();
    const journal = open();
    journal.event({ event: 'x' });
    const anchor = tryParseAnchor((await verifyJournal({ directory })).anchor);
    expect(anchor?.records).toBe(2);
    journal.event({ event: 'y' });
    journal.close();
    if (anchor === undefined) return expect.unreachable();
    expect(await verifyJournal({ directory, expect: anchor })).toMatchObject({ ok: true, records: 4 });
  });

  test('does not fit a journal that was written anew, heads and all', async () => {
    const directory = useWritten();
    const anchor = tryParseAnchor((await verifyJournal({ directory })).anchor);
    if (anchor === undefined) return expect.unreachable();
    const forged = useWritten();
    rmSync(directory, { recursive: true });
    cpSync(forged, directory, { recursive: true });
    expect((await verifyJournal({ directory })).ok).toBe(true);
    expect((await verifyJournal({ directory, expect: anchor })).problems).toEqual([
      { file: '', line: 0, reason: 'the first 20 records are not the ones that the anchor was taken of' },
    ]);
    for (const file of readdirSync(directory)) rmSync(join(directory, file), { recursive: true });
    expect((await verifyJournal({ directory, expect: anchor })).problems).toEqual([
      { file: '', line: 0, reason: 'the journal has 0 records, and had 20 when the anchor was taken' },
    ]);
  });

  test.for(['', '1', 'x:y', `1:${'A'.repeat(64)}`, `-1:${'a'.repeat(64)}`])('is not %j', (text) => {
    expect(tryParseAnchor(text)).toBeUndefined();
  });
});

test('verifyJournal() of no journal at all is fine', async () => {
  expect(await verifyJournal({ directory: useJournal().directory })).toMatchObject({ ok: true, records: 0 });
});

test('verifyJournal() throws when the directory is none', async () => {
  const { directory } = useJournal();
  writeFileSync(directory, '');
  await expect(verifyJournal({ directory })).rejects.toThrow(
    expect.objectContaining({
      code: 'AUDIT_UNREADABLE',
      message: expect.stringContaining(`Cannot read the audit journal in "${directory}": ENOTDIR`),
    }),
  );
});
