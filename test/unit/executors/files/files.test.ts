import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { createFileAccess, DEFAULT_FILE_LIMITS } from '../../../../src/executors/files/files.ts';
import { openFiles, refuseNames } from '../../../helpers/file-access.ts';
import { useTmp } from '../../../helpers/tmp.ts';

const ANCHORINGS = process.platform === 'linux' ? (['descriptor', 'realpath'] as const) : (['realpath'] as const);
const MIB = 1024 * 1024;

describe.each(ANCHORINGS)('anchored by %s', (anchoring) => {
  const useFiles = (options: Parameters<typeof openFiles>[1] = {}) => {
    const base = useTmp();
    const root = join(base, 'root');
    mkdirSync(join(root, 'wiki'), { recursive: true });
    writeFileSync(join(root, 'wiki', 'a.txt'), 'hello');
    return { base, root, files: openFiles(root, { anchoring, ...options }) };
  };

  test('readText() reads relative and absolute paths and asks with the canonical one', () => {
    const { root, files } = useFiles();
    expect(files.readText('wiki/a.txt')).toEqual({ ok: true, text: 'hello' });
    expect(files.readText(join(root, 'wiki/a.txt'))).toEqual({ ok: true, text: 'hello' });
    expect(files.asked).toEqual([`read:fs:${root}/wiki/a.txt`, `read:fs:${root}/wiki/a.txt`]);
  });

  test.for([
    ['gone.txt', 'missing', 'Cannot read "gone.txt": it does not exist'],
    ['no/such/parent', 'missing', 'Cannot read "no/such/parent": it does not exist'],
    ['wiki/a.txt/b', 'missing', 'Cannot read "wiki/a.txt/b": a part of its path is not a directory'],
    ['wiki', 'is-a-directory', 'Cannot read "wiki": it is a directory, a file is wanted'],
    ['', 'is-a-directory', 'Cannot read "": it is a directory, a file is wanted'],
    ['a\nb', 'missing', 'Cannot read "a\\nb": it does not exist'],
  ] as const)('readText(%j) answers %s', ([path, why, message]) => {
    const { files } = useFiles();
    expect(files.readText(path)).toEqual({ ok: false, why, message });
  });

  test('readText() answers bad-path for a name no file system takes, and cuts it in the message', () => {
    const { files } = useFiles();
    const message = `Cannot read "${'x'.repeat(200)}…": a name in it is longer than the file system allows`;
    expect(files.readText('x'.repeat(300))).toEqual({ ok: false, why: 'bad-path', message });
  });

  test('readText() keeps a byte order mark, reads an empty file, and refuses what is not UTF-8', () => {
    const { root, files } = useFiles();
    writeFileSync(join(root, 'bom'), '\ufeffx');
    writeFileSync(join(root, 'empty'), '');
    writeFileSync(join(root, 'latin'), Buffer.from([0x66, 0xfc, 0x72]));
    writeFileSync(join(root, 'surrogate'), Buffer.from([0xed, 0xa0, 0x80]));
    expect(files.readText('bom')).toEqual({ ok: true, text: '\ufeffx' });
    expect(files.readText('empty')).toEqual({ ok: true, text: '' });
    expect(files.readText('latin')).toEqual({ ok: false, why: 'not-utf8', message: 'Cannot read "latin": it is not UTF-8 text' });
    expect(files.readText('surrogate')).toMatchObject({ ok: false, why: 'not-utf8' });
  });

  test('readText() reads up to the limit and nothing past it', () => {
    const { root, files } = useFiles({ limits: { ...DEFAULT_FILE_LIMITS, maxReadBytes: 8 } });
    writeFileSync(join(root, 'eight'), '12345678');
    writeFileSync(join(root, 'nine'), '123456789');
    expect(files.readText('eight')).toEqual({ ok: true, text: '12345678' });
    expect(files.readText('nine')).toEqual({ ok: false, why: 'too-large', message: 'Cannot read "nine": it is larger than 8 bytes' });
  });

  test('readText() follows a symlink that stays inside and asks about its end', () => {
    const { root, files } = useFiles();
    symlinkSync('wiki', join(root, 'link'));
    expect(files.readText('link/a.txt')).toEqual({ ok: true, text: 'hello' });
    expect(files.asked).toEqual([`read:fs:${root}/wiki/a.txt`]);
  });

  test('permit() refusing a canonical path refuses every way to it', () => {
    const { root, files } = useFiles({ permit: refuseNames('.env') });
    writeFileSync(join(root, '.env'), 'TOKEN=1');
    symlinkSync('.env', join(root, 'harmless.txt'));
    const refusal = { allowed: false, capability: `read:fs:${root}/.env`, by: 'policy', reason: 'it is a sensitive name' };
    const message = 'Cannot read "harmless.txt": it is a sensitive name';
    expect(files.readText('harmless.txt')).toEqual({ ok: false, why: 'refused', message, refusal });
    expect(files.readText('.env')).toMatchObject({ why: 'refused', refusal });
    expect(files.exists('.env')).toMatchObject({ ok: false, why: 'refused' });
    expect(files.write('.env', 'x')).toMatchObject({ ok: false, why: 'refused' });
    expect(files.append('.env', 'x')).toMatchObject({ ok: false, why: 'refused' });
    expect(files.list('.env')).toMatchObject({ ok: false, why: 'refused' });
    expect(readFileSync(join(root, '.env'), 'utf8')).toBe('TOKEN=1');
  });

  test('a refused path that is missing answers as one that exists', () => {
    const { files } = useFiles({ permit: refuseNames('.ssh') });
    expect(files.readText('.ssh/id_rsa')).toMatchObject({ ok: false, why: 'refused' });
    expect(files.exists('.ssh/id_rsa')).toMatchObject({ ok: false, why: 'refused' });
    expect(files.list('.ssh')).toMatchObject({ ok: false, why: 'refused' });
    expect(files.write('.ssh/id_rsa', '')).toMatchObject({ ok: false, why: 'refused' });
    expect(files.createDirectory('.ssh/deep/er')).toMatchObject({ ok: false, why: 'refused' });
  });

  test('write() makes, replaces and shortens, and asks before it makes', () => {
    const { root, files } = useFiles();
    expect(files.write('new.txt', 'long text é')).toEqual({ ok: true });
    expect(readFileSync(join(root, 'new.txt'), 'utf8')).toBe('long text é');
    expect(files.write('new.txt', 'x')).toEqual({ ok: true });
    expect(readFileSync(join(root, 'new.txt'), 'utf8')).toBe('x');
    expect(files.asked).toEqual([`write:fs:${root}/new.txt`, `write:fs:${root}/new.txt`]);
  });

  test('write() refused by permit() makes nothing', () => {
    const { root, files } = useFiles({ permit: refuseNames('new.txt') });
    expect(files.write('new.txt', 'x')).toMatchObject({ ok: false, why: 'refused' });
    expect(existsSync(join(root, 'new.txt'))).toBe(false);
  });

  test('append() adds to the end and makes a missing file', () => {
    const { root, files } = useFiles();
    expect(files.append('log', 'a')).toEqual({ ok: true });
    expect(files.append('log', 'b')).toEqual({ ok: true });
    expect(readFileSync(join(root, 'log'), 'utf8')).toBe('ab');
  });

  test.for([
    ['no/such/x', 'missing', 'it does not exist'],
    ['wiki/a.txt/x', 'missing', 'a part of its path is not a directory'],
    ['wiki', 'is-a-directory', 'it is a directory, a file is wanted'],
    ['.', 'is-a-directory', 'it is a directory, a file is wanted'],
  ] as const)('write(%j) and append() answer %s and make no parents', ([path, why, reason]) => {
    const { root, files } = useFiles();
    expect(files.write(path, 'x')).toEqual({ ok: false, why, message: `Cannot write "${path}": ${reason}` });
    expect(files.append(path, 'x')).toEqual({ ok: false, why, message: `Cannot append to "${path}": ${reason}` });
    expect(existsSync(join(root, 'no'))).toBe(false);
  });

  test('write() and append() stop at the size of a file and leave it as it was', () => {
    const { root, files } = useFiles({ limits: { ...DEFAULT_FILE_LIMITS, maxFileBytes: 8 } });
    const tooLarge = { ok: false, why: 'too-large' };
    expect(files.write('wiki/a.txt', '123456789')).toMatchObject(tooLarge);
    expect(files.append('wiki/a.txt', '1234')).toMatchObject(tooLarge);
    expect(files.write('new.txt', '123456789')).toMatchObject(tooLarge);
    expect(readFileSync(join(root, 'wiki/a.txt'), 'utf8')).toBe('hello');
    expect(existsSync(join(root, 'new.txt'))).toBe(false);
    expect(files.append('wiki/a.txt', '123')).toEqual({ ok: true });
  });

  test('write() stops at what one call may write in all', () => {
    const { files } = useFiles({ limits: { ...DEFAULT_FILE_LIMITS, maxTotalWriteBytes: 10 } });
    expect(files.write('a', '12345')).toEqual({ ok: true });
    expect(files.append('a', '12345')).toEqual({ ok: true });
    const message = 'Cannot write "b": this call may write 0 more bytes, not 1';
    expect(files.write('b', 'x')).toEqual({ ok: false, why: 'too-large', message });
  });

  test('list() sorts by bytes, shows hidden names and the root', () => {
    const { root, files } = useFiles();
    for (const name of ['b', 'B', '.hidden', 'ä', '\uff5e', '😀']) writeFileSync(join(root, name), '');
    expect(files.list('')).toEqual({ ok: true, names: ['.hidden', 'B', 'b', 'wiki', 'ä', '\uff5e', '😀'], skipped: 0 });
    expect(files.list('wiki')).toEqual({ ok: true, names: ['a.txt'], skipped: 0 });
  });

  test.runIf(process.platform === 'linux')('list() leaves out and counts names that are not UTF-8', () => {
    const { root, files } = useFiles();
    writeFileSync(Buffer.concat([Buffer.from(`${root}/wiki/`), Buffer.from([0xff, 0xfe])]), '');
    expect(files.list('wiki')).toEqual({ ok: true, names: ['a.txt'], skipped: 1 });
  });

  test('list() answers on a file, on nothing and on too many entries', () => {
    const { root, files } = useFiles({ limits: { ...DEFAULT_FILE_LIMITS, maxEntries: 3 } });
    for (const name of ['1', '2', '3']) writeFileSync(join(root, 'wiki', name), '');
    const notDirectory = 'Cannot list "wiki/a.txt": it is a file, a directory is wanted';
    expect(files.list('wiki/a.txt')).toEqual({ ok: false, why: 'not-a-directory', message: notDirectory });
    expect(files.list('gone')).toMatchObject({ ok: false, why: 'missing' });
    expect(files.list('wiki')).toEqual({ ok: false, why: 'too-many-entries', message: 'Cannot list "wiki": it has more than 3 entries' });
    rmSync(join(root, 'wiki', '3'));
    expect(files.list('wiki')).toMatchObject({ ok: true, names: ['1', '2', 'a.txt'] });
  });

  test('createDirectory() makes parents, is idempotent, and asks for the whole path first', () => {
    const { root, files } = useFiles();
    expect(files.createDirectory('x/y')).toEqual({ ok: true });
    expect(statSync(join(root, 'x/y')).isDirectory()).toBe(true);
    expect(files.asked).toEqual([`write:fs:${root}/x/y`, `write:fs:${root}/x`, `write:fs:${root}/x/y`, `write:fs:${root}/x/y`]);
    expect(files.createDirectory('x/y')).toEqual({ ok: true });
    expect(files.createDirectory('')).toEqual({ ok: true });
  });

  test('createDirectory() makes nothing when a part of the path is refused', () => {
    const { root, files } = useFiles({ permit: refuseNames('.git') });
    expect(files.createDirectory('a/b/.git')).toMatchObject({ ok: false, why: 'refused' });
    expect(existsSync(join(root, 'a'))).toBe(false);
  });

  test('createDirectory() answers when a file has the name, at the end or on the way', () => {
    const { files } = useFiles();
    const message = 'Cannot create "wiki/a.txt": something that is no directory has this name';
    expect(files.createDirectory('wiki/a.txt')).toEqual({ ok: false, why: 'not-a-directory', message });
    expect(files.createDirectory('wiki/a.txt/b')).toMatchObject({ ok: false, why: 'not-a-directory' });
  });

  test('createDirectory() goes through a symlink inside and refuses a dangling one', () => {
    const { root, files } = useFiles();
    symlinkSync('wiki', join(root, 'link'));
    symlinkSync('nowhere', join(root, 'dangling'));
    expect(files.createDirectory('link/new')).toEqual({ ok: true });
    expect(existsSync(join(root, 'wiki/new'))).toBe(true);
    expect(files.createDirectory('dangling/new')).toMatchObject({ ok: false, why: 'symlink' });
    expect(files.createDirectory('dangling')).toMatchObject({ ok: false, why: 'symlink' });
    expect(existsSync(join(root, 'nowhere'))).toBe(false);
  });

  test('exists() says yes to files and directories, no to missing ones and missing parents', () => {
    const { files } = useFiles();
    for (const path of ['wiki', 'wiki/a.txt', '']) expect(files.exists(path)).toEqual({ ok: true, exists: true });
    for (const path of ['gone', 'no/parent/x', 'wiki/a.txt/x']) expect(files.exists(path)).toEqual({ ok: true, exists: false });
    expect(files.exists('../x')).toMatchObject({ ok: false, why: 'outside' });
  });

  test('a file that is really called "x (deleted)" is read', () => {
    const { root, files } = useFiles();
    writeFileSync(join(root, 'x (deleted)'), 'here');
    expect(files.readText('x (deleted)')).toEqual({ ok: true, text: 'here' });
  });

  test('a root that was removed is missing', () => {
    const { root, files } = useFiles();
    rmSync(root, { recursive: true });
    expect(files.readText('wiki/a.txt')).toMatchObject({ ok: false, why: 'missing' });
    expect(files.write('x', 'y')).toMatchObject({ ok: false, why: 'missing' });
  });

  test('a root replaced by a symlink leads nowhere', () => {
    const { base, root, files } = useFiles();
    mkdirSync(join(base, 'other'));
    writeFileSync(join(base, 'other/secret'), 'SECRET');
    renameSync(root, join(base, 'was'));
    symlinkSync(join(base, 'other'), root);
    const secret = files.readText('secret');
    const write = files.write('new', 'x');
    // By descriptor it still is the old directory, which has no such file; by path it is seen to lead outside.
    expect([secret.ok, write.ok]).toEqual([false, false]);
    expect(existsSync(join(base, 'other/new'))).toBe(false);
  });

  test.for([
    ['missing', (base: string) => join(base, 'gone'), 'CONFIG_ROOT_MISSING'],
    ['a file', (base: string) => join(base, 'root/wiki/a.txt'), 'CONFIG_ROOT_MISSING'],
  ] as const)('createFileAccess() throws for a root that is %s', ([, rootOf, code]) => {
    const { base } = useFiles();
    const options = { root: rootOf(base), permit: () => ({ allowed: true }) as const, limits: DEFAULT_FILE_LIMITS, anchoring };
    expect(() => createFileAccess(options)).toThrow(expect.objectContaining({ code }));
  });

  test('createFileAccess() throws for a root that is not canonical', () => {
    const { base, root } = useFiles();
    symlinkSync(root, join(base, 'alias'));
    const options = { permit: () => ({ allowed: true }) as const, limits: DEFAULT_FILE_LIMITS, anchoring };
    expect(() => createFileAccess({ ...options, root: join(base, 'alias') })).toThrow();
    expect(() => createFileAccess({ ...options, root: join(base, 'alias/wiki') })).toThrow(
      expect.objectContaining({ code: 'EXECUTION_INTERNAL' }),
    );
  });

  test('a file of half the read limit is read whole', () => {
    const { root, files } = useFiles();
    const text = 'é'.repeat(4 * MIB);
    writeFileSync(join(root, 'big'), text);
    const read = files.readText('big');
    expect(read.ok && read.text === text).toBe(true);
  });
});

test.runIf(process.platform === 'linux')('close() may be called twice, and no call works after it', () => {
  const root = useTmp();
  const files = openFiles(root);
  files.close();
  files.close();
  expect(() => files.exists('x')).toThrow('Cannot run a plugin: file access was closed before its last use');
});
