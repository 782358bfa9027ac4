import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, test } from 'vitest';

import type { KeepAnswer, ProducedFile } from '../../../../../src/executors/executor.ts';
import { readProducedEntries } from '../../../../../src/executors/script/output/produced-entries.ts';
import { keepProducedFiles, toSegments } from '../../../../../src/executors/script/output/produced-files.ts';
import { useTmp } from '../../../../helpers/tmp.ts';

const INSIDE = '/run/somewhere';

/** Keeps what the answer names from a directory of the test. */
async function keep(path: string, files: unknown, answer: KeepAnswer = { kept: true, uri: 'artifact://x' }) {
  const kept: ProducedFile[] = [];
  const warnings = await keepProducedFiles({
    files,
    directory: { path, close: () => {} },
    insidePath: INSIDE,
    keep: (file) => {
      kept.push(file);
      return Promise.resolve(answer);
    },
  });
  return { warnings, kept: kept.map(({ bytes, ...rest }) => ({ ...rest, text: Buffer.from(bytes).toString() })) };
}

describe('keepProducedFiles()', () => {
  test('keeps files in all forms that an answer may name them', async ({ expect }) => {
    const tmp = useTmp();
    mkdirSync(join(tmp, 'out'));
    writeFileSync(join(tmp, 'a.txt'), 'A');
    writeFileSync(join(tmp, 'out', 'b c.csv'), 'B');
    writeFileSync(join(tmp, 'a\\b'), 'C');
    const { warnings, kept } = await keep(tmp, [
      'a.txt',
      { path: './out//b c.csv', name: 'Table', mimeType: 'text/csv', description: 'all rows' },
      { file: `${INSIDE}/a.txt`, type: 'text/plain' },
      { filename: join(tmp, 'a.txt') },
      'a\\b',
    ]);
    expect(warnings).toEqual([]);
    expect(kept).toEqual([
      { name: 'a.txt', text: 'A' },
      { name: 'Table', mimeType: 'text/csv', description: 'all rows', text: 'B' },
      { name: 'a.txt', mimeType: 'text/plain', text: 'A' },
      { name: 'a.txt', text: 'A' },
      { name: 'a\\b', text: 'C' },
    ]);
  });

  test('refuses whatever is no plain file of its own, and keeps the others', async ({ expect }) => {
    const tmp = useTmp();
    const [outside, run] = [join(tmp, 'outside'), join(tmp, 'run')];
    mkdirSync(outside);
    mkdirSync(join(run, 'directory'), { recursive: true });
    writeFileSync(join(outside, 'secret'), 'SECRET');
    writeFileSync(join(run, 'fine'), 'FINE');
    symlinkSync(join(outside, 'secret'), join(run, 'link'));
    symlinkSync('fine', join(run, 'link-inside'));
    symlinkSync(outside, join(run, 'linked-directory'));
    writeFileSync(join(run, 'original'), '');
    linkSync(join(run, 'original'), join(run, 'hard-link'));
    execFileSync('mkfifo', [join(run, 'fifo')]);
    writeFileSync(join(run, 'huge'), '');
    truncateSync(join(run, 'huge'), 64 * 1024 * 1024 + 1);
    const { warnings, kept } = await keep(run, [
      'link',
      'link-inside',
      'linked-directory/secret',
      'directory',
      'directory/..',
      '../outside/secret',
      '/etc/passwd',
      `${INSIDE}/../outside/secret`,
      `${INSIDE}2/fine`,
      'fine\0',
      'fine/x',
      'missing',
      'hard-link',
      'fifo',
      'huge',
      'x'.repeat(300),
      '.',
      { path: 7 },
      'fine',
    ]);
    expect(kept).toEqual([{ name: 'fine', text: 'FINE' }]);
    expect(warnings).toEqual([
      'files[17] was ignored: it must be a path, or an object with "path"',
      'the file "link" was not kept: it is a link, or one is on its way',
      'the file "link-inside" was not kept: it is a link, or one is on its way',
      'the file "linked-directory/secret" was not kept: something on its way is a file or a link',
      'the file "directory" was not kept: it is a directory',
      'the file "directory/.." was not kept: its path holds "..", which is never followed',
      'the file "../outside/secret" was not kept: its path holds "..", which is never followed',
      'the file "/etc/passwd" was not kept: it lies outside of the run directory',
      'the file "/run/somewhere/../outside/secret" was not kept: its path holds "..", which is never followed',
      'the file "/run/somewhere2/fine" was not kept: it lies outside of the run directory',
      'the file "fine\\u0000" was not kept: its path holds a null byte',
      'the file "fine/x" was not kept: something on its way is a file or a link',
      'the file "missing" was not kept: it does not exist',
      'the file "hard-link" was not kept: it has a second name, a hard link',
      'the file "fifo" was not kept: it is not a regular file',
      'the file "huge" was not kept: it has 67108865 bytes, a file may have 67108864',
      `the file "${'x'.repeat(200)}…" was not kept: its name is too long`,
      'the file "." was not kept: it is a directory',
    ]);
  });

  test('says which file the store refused', async ({ expect }) => {
    const tmp = useTmp();
    writeFileSync(join(tmp, 'a'), '');
    const { warnings } = await keep(tmp, ['a'], { kept: false, reason: 'the artifacts are full' });
    expect(warnings).toEqual(['the file "a" was not kept: the artifacts are full']);
  });

  test('stops at the bytes of a call', async ({ expect }) => {
    const tmp = useTmp();
    for (const name of ['1', '2', '3', '4', '5']) {
      writeFileSync(join(tmp, name), '');
      truncateSync(join(tmp, name), 60 * 1024 * 1024);
    }
    let bytes = 0;
    const warnings = await keepProducedFiles({
      files: ['1', '2', '3', '4', '5'],
      directory: { path: tmp, close: () => {} },
      insidePath: INSIDE,
      keep: (file) => {
        bytes += file.bytes.length;
        return Promise.resolve({ kept: true, uri: '' });
      },
    });
    expect(bytes).toBe(4 * 60 * 1024 * 1024);
    expect(warnings).toEqual([
      `the file "5" was not kept: it has ${60 * 1024 * 1024} bytes, the files of a call may have ${256 * 1024 * 1024} bytes together`,
    ]);
  });
});

describe('readProducedEntries()', () => {
  test('warns of what is no list, and of more than are kept', ({ expect }) => {
    expect(readProducedEntries(undefined)).toEqual({ entries: [], warnings: [] });
    expect(readProducedEntries({ path: 'a' }).warnings).toEqual(['"files" was ignored: it must be an array']);
    const many = readProducedEntries(Array.from({ length: 70 }, (_, index) => `f${index}`));
    expect(many.entries).toHaveLength(64);
    expect(many.warnings).toEqual(['6 files were ignored: a call keeps at most 64']);
  });

  test('understands or warns of every value, and never throws', ({ expect }) => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue(), fc.record({ path: fc.jsonValue(), name: fc.jsonValue() }))), (files) => {
        const { entries, warnings } = readProducedEntries(files);
        expect(entries.length + warnings.length).toBe(files.length);
      }),
    );
  });
});

test('toSegments() never leads out of the run directory, nor to itself', ({ expect }) => {
  const piece = fc.constantFrom('..', '.', '', '/', 'a', '\\', '\0', 'ü', '\u202e', '\ud800', INSIDE, '/run', '%2e%2e');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('/')),
      (path) => {
        const segments = toSegments(path, [INSIDE]);
        if (!Array.isArray(segments)) {
          expect(segments.reason).not.toBe('');
          return;
        }
        expect(segments.length).toBeGreaterThan(0);
        for (const segment of segments) {
          expect(['', '.', '..']).not.toContain(segment);
          expect(segment).not.toMatch(/[/\0]/);
        }
      },
    ),
  );
});
