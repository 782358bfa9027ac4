import { renameSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { digestFiles, digestOf, fingerprintFiles, MAX_FILE_BYTES, sha256Hex } from '../../../src/manifest/digest.ts';
import { writeFiles } from '../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../helpers/tmp.ts';

const A = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb';

test('digestFiles() gives one digest whatever order the files are named in', () => {
  const directory = writeFiles(useTmp(), { 'a.txt': 'a', 'sub/b.txt': 'b' });
  const digested = digestFiles(directory, ['sub/b.txt', 'a.txt']);
  expect(digested).toEqual(expect.objectContaining({ ok: true, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) }));
  expect(digestFiles(directory, ['a.txt', 'sub/b.txt'])).toEqual(digested);
  expect(digested).toMatchObject({ files: { 'a.txt': A } });
});

test('digestFiles() changes with one bit and with one name', () => {
  const directory = writeFiles(useTmp(), { 'a.txt': 'a', 'b.txt': 'a' });
  const before = digestFiles(directory, ['a.txt']);
  expect(digestFiles(directory, ['b.txt'])).not.toEqual(before);
  writeFileSync(join(directory, 'a.txt'), 'b');
  expect(digestFiles(directory, ['a.txt'])).not.toEqual(before);
});

test('digestOf() gives different files different digests', () => {
  const files = fc.dictionary(fc.stringMatching(/^[a-z./]{1,6}$/), fc.constantFrom(A, sha256Hex('b')), { maxKeys: 4 });
  fc.assert(
    fc.property(files, files, (one, other) => {
      const names = Object.keys(one);
      const same = names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
      expect(digestOf(one) === digestOf(other)).toBe(same);
    }),
  );
});

describe('digestFiles() names the file that', () => {
  test('is missing', () => {
    expect(digestFiles(useTmp(), ['gone'])).toEqual({ ok: false, file: 'gone', reason: 'it does not exist' });
  });
  test('is a directory', () => {
    expect(digestFiles(writeFiles(useTmp(), { 'd/x': '' }), ['d'])).toEqual({ ok: false, file: 'd', reason: 'it is not a regular file' });
  });
  test('leads out by its name', () => {
    const base = writeFiles(useTmp(), { secret: 'x', 'p/x': '' });
    expect(digestFiles(join(base, 'p'), ['../secret'])).toMatchObject({ ok: false, file: '../secret' });
  });
  test('leads out by a link, also to a directory that begins alike', () => {
    const base = writeFiles(useTmp(), { 'plugin-two/secret': 'x', 'plugin/x': '' });
    symlinkSync('../plugin-two/secret', join(base, 'plugin', 'link'));
    expect(digestFiles(join(base, 'plugin'), ['link'])).toEqual({
      ok: false,
      file: 'link',
      reason: 'it is a symbolic link that leads out of the plugin directory',
    });
  });
  test('is too large', () => {
    const directory = writeFiles(useTmp(), { x: '' });
    truncateSync(join(directory, 'x'), MAX_FILE_BYTES + 1);
    expect(digestFiles(directory, ['x'])).toEqual({ ok: false, file: 'x', reason: 'it has 33554433 bytes, more than 33554432' });
  });
});

test('fingerprintFiles() stays the same while nothing changes and differs after every kind of change', () => {
  const directory = writeFiles(useTmp(), { a: '1', b: '1' });
  const names = ['.', 'a'];
  let before = fingerprintFiles(directory, names);
  expect(fingerprintFiles(directory, names)).toBe(before);
  const changes: (() => void)[] = [
    () => writeFileSync(join(directory, 'a'), '22'),
    () => utimesSync(join(directory, 'a'), 1, 1),
    () => renameSync(join(directory, 'b'), join(directory, 'a')),
    () => writeFileSync(join(directory, 'new'), ''),
    () => renameSync(join(directory, 'a'), join(directory, 'gone')),
  ];
  for (const change of changes) {
    change();
    const after = fingerprintFiles(directory, names);
    expect(after).not.toBe(before);
    before = after;
  }
  expect(before).toMatch(/^a\tmissing$/m);
});
