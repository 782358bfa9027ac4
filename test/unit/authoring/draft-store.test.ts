import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import type { DraftState } from '../../../src/authoring/attempts.ts';
import { createDraftStore, DRAFT_LIMITS, readDraftFiles, textsOf } from '../../../src/authoring/draft-store.ts';
import { useTmp } from '../../helpers/tmp.ts';

const STATE: DraftState = { version: 1, attempt: 1, status: 'failing', digest: '', changedAtMs: 1_000 };
const files = (texts: Record<string, string>): Map<string, Uint8Array> =>
  new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));

test('write() puts files in the place of all that were there, and state() tells how the draft stands', () => {
  const base = join(useTmp(), 'drafts');
  const store = createDraftStore(base);
  expect(store.state('one')).toBeUndefined();
  store.write('one', files({ 'main.py': 'a', 'tests/x.json': '{}' }), STATE);
  store.write('one', files({ 'main.py': 'b', 'lib/y.py': '' }), { ...STATE, attempt: 2 });
  expect(store.fileNames('one')).toEqual(['lib/y.py', 'main.py']);
  expect(readFileSync(join(store.directoryOf('one'), 'main.py'), 'utf8')).toBe('b');
  expect(store.state('one')).toEqual({ ...STATE, attempt: 2 });
  expect(store.count()).toBe(1);
  expect(readdirSync(base).sort()).toEqual(['.one.json', 'one']);
  expect(statSync(base).mode & 0o777).toBe(0o700);
  // A sandbox may run as somebody else.
  expect(statSync(join(base, 'one/main.py')).mode & 0o777).toBe(0o644);
});

test('state() takes nothing for a state that is none', () => {
  const base = useTmp();
  const store = createDraftStore(base);
  store.write('one', files({}), STATE);
  for (const text of ['', '{', '[]', '{"version":2}', JSON.stringify({ ...STATE, attempt: 9 })]) {
    writeFileSync(join(base, '.one.json'), text);
    expect(store.state('one')).toBeUndefined();
  }
});

test('write() refuses paths that leave the draft, and leaves what was there', () => {
  const base = useTmp();
  const store = createDraftStore(join(base, 'drafts'));
  store.write('one', files({ 'main.py': 'a' }), STATE);
  expect(() => store.write('one', files({ 'main.py': 'b', '../../evil': 'x' }), STATE)).toThrow(
    '"../../evil" is no path below a directory',
  );
  expect(existsSync(join(base, 'evil'))).toBe(false);
  expect(readFileSync(join(store.directoryOf('one'), 'main.py'), 'utf8')).toBe('a');
  expect(readdirSync(join(base, 'drafts')).sort()).toEqual(['.one.json', 'one']);
});

test('expire() removes drafts that nobody changed for a week, and what a kill left', () => {
  const base = useTmp();
  const store = createDraftStore(base);
  store.write('old', files({}), STATE);
  store.write('new', files({}), { ...STATE, changedAtMs: DRAFT_LIMITS.idleMs + 2_000 });
  mkdirSync(join(base, '.new-left-over'));
  utimesSync(join(base, '.new-left-over'), 0, 0);
  store.expire(DRAFT_LIMITS.idleMs + 3_600_001);
  expect(readdirSync(base).sort()).toEqual(['.new.json', 'new']);
});

test('readDraftFiles() reads few and small files, and follows no link out', () => {
  const base = useTmp();
  writeFileSync(join(base, 'a.txt'), 'é');
  writeFileSync(join(base, 'b.bin'), Buffer.from([0xff, 0xfe]));
  symlinkSync('/etc/hostname', join(base, 'link'));
  writeFileSync(join(base, 'large'), Buffer.alloc(DRAFT_LIMITS.bytes + 1));
  const read = readDraftFiles(base, ['a.txt', 'b.bin']);
  expect(read).toMatchObject({ ok: true });
  if (read.ok) expect([...textsOf(read.files)]).toEqual([['a.txt', 'é']]);
  expect(readDraftFiles(base, ['link'])).toEqual({
    ok: false,
    reason: '"link": it is a symbolic link that leads out of the plugin directory',
  });
  expect(readDraftFiles(base, ['large'])).toMatchObject({ ok: false });
  expect(readDraftFiles(base, Array.from({ length: 65 }, String))).toEqual({ ok: false, reason: 'it has 65 files, more than 64' });
});
