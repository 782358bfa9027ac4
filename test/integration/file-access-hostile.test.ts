import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { DEFAULT_FILE_LIMITS } from '../../src/executors/files/files.ts';
import { openFiles, refuseNames } from '../helpers/file-access.ts';
import { useTmp } from '../helpers/tmp.ts';

const ANCHORINGS = process.platform === 'linux' ? (['descriptor', 'realpath'] as const) : (['realpath'] as const);

/** The rows of sandbox.md §D that are about files, against real ones. */
describe.each(ANCHORINGS)('hostile paths, anchored by %s', (anchoring) => {
  const useHostile = (options: Parameters<typeof openFiles>[1] = {}) => {
    const base = useTmp();
    const root = join(base, 'data');
    mkdirSync(root);
    mkdirSync(join(base, 'data2'));
    writeFileSync(join(base, 'data2/secret'), 'SECRET');
    writeFileSync(join(base, 'secret'), 'SECRET');
    return { base, root, files: openFiles(root, { anchoring, ...options }) };
  };
  const every = (files: ReturnType<typeof openFiles>, path: string) => [
    files.readText(path),
    files.write(path, 'x'),
    files.append(path, 'x'),
    files.list(path),
    files.createDirectory(path),
    files.exists(path),
  ];

  test.for(['../secret', '../../etc/passwd', 'a/../../secret', 'a/..', '..'])(
    'row 1: every call refuses %j by the sandbox, unasked',
    (path) => {
      const { files } = useHostile();
      for (const result of every(files, path)) {
        const reason = 'it holds "..", which is never followed';
        expect(result).toMatchObject({ ok: false, why: 'outside', refusal: { by: 'sandbox', reason } });
      }
      expect(files.asked).toEqual([]);
    },
  );

  test.for(['%2e%2e/secret', '..\\secret', '..%2fsecret', '.../secret', '\u2024\u2024/secret', '．．/secret', '..\u2215secret'])(
    'row 2: %j is a literal name below the root',
    (path) => {
      const { base, files } = useHostile();
      expect(files.readText(path)).toMatchObject({ ok: false, why: 'missing' });
      expect(files.exists(path)).toEqual({ ok: true, exists: false });
      files.write(path, 'x');
      files.createDirectory(path);
      expect(readFileSync(join(base, 'secret'), 'utf8')).toBe('SECRET');
      expect(readdirSync(base).toSorted()).toEqual(['data', 'data2', 'secret']);
    },
  );

  test('row 3: a null byte is refused before any question or system call', () => {
    const { files } = useHostile();
    for (const result of every(files, 'a\0.txt')) expect(result).toMatchObject({ ok: false, why: 'null-byte', refusal: { by: 'sandbox' } });
    expect(files.asked).toEqual([]);
  });

  test('row 4: a sibling with the same beginning is outside', () => {
    const { base, root, files } = useHostile();
    for (const result of every(files, join(base, 'data2/secret'))) expect(result).toMatchObject({ ok: false, why: 'outside' });
    symlinkSync('../data2', join(root, 'sibling'));
    expect(files.readText('sibling/secret')).toMatchObject({ ok: false, why: 'outside' });
  });

  test('row 5: symlinks that lead out are refused for every call, and nothing out there is touched', () => {
    const { base, root, files } = useHostile();
    symlinkSync(base, join(root, 'out'));
    symlinkSync('../secret', join(root, 'file'));
    symlinkSync('out', join(root, 'twice'));
    symlinkSync('/proc/self/root', join(root, 'magic'));
    symlinkSync('/proc/self/environ', join(root, 'environ'));
    for (const path of ['out/secret', 'file', 'twice/secret', 'environ', 'magic/etc/passwd']) {
      expect(files.readText(path)).toMatchObject({
        ok: false,
        why: 'outside',
        refusal: { by: 'sandbox', reason: 'it leads out of the root' },
      });
      expect(files.exists(path)).toMatchObject({ ok: false, why: 'outside' });
    }
    for (const path of ['out', 'twice', 'magic']) {
      expect(files.list(path)).toMatchObject({ ok: false, why: 'outside' });
      expect(files.write(`${path}/new`, 'x')).toMatchObject({ ok: false, why: 'outside' });
      expect(files.createDirectory(`${path}/new`)).toMatchObject({ ok: false, why: 'outside' });
    }
    expect(readdirSync(base).toSorted()).toEqual(['data', 'data2', 'secret']);
  });

  test('row 5: a write never follows its last component, wherever it leads', () => {
    const { base, root, files } = useHostile();
    writeFileSync(join(root, 'inside'), 'kept');
    symlinkSync('inside', join(root, 'to-inside'));
    symlinkSync('../secret', join(root, 'to-secret'));
    symlinkSync('../planted', join(root, 'dangling'));
    for (const path of ['to-inside', 'dangling']) {
      const message = `Cannot write "${path}": it is a symlink, and writing does not follow one`;
      expect(files.write(path, 'x')).toMatchObject({ ok: false, why: 'symlink', message, refusal: { by: 'sandbox' } });
      expect(files.append(path, 'x')).toMatchObject({ ok: false, why: 'symlink' });
    }
    expect(files.write('to-secret', 'x')).toMatchObject({ ok: false, why: 'symlink' });
    expect(readFileSync(join(root, 'inside'), 'utf8')).toBe('kept');
    expect(readFileSync(join(base, 'secret'), 'utf8')).toBe('SECRET');
    expect(existsSync(join(base, 'planted'))).toBe(false);
  });

  test('row 5: a loop of symlinks ends', () => {
    const { root, files } = useHostile();
    symlinkSync('b', join(root, 'a'));
    symlinkSync('a', join(root, 'b'));
    for (const result of every(files, 'a/x')) expect(result).toMatchObject({ ok: false, why: 'symlink' });
    expect(files.readText('a')).toMatchObject({ ok: false, why: 'symlink' });
  });

  test('row 8: a hard link is read but never written', () => {
    const { base, root, files } = useHostile();
    linkSync(join(base, 'secret'), join(root, 'link'));
    const message = 'Cannot write "link": it has 2 names, and only a file with one is written';
    expect(files.write('link', 'x')).toMatchObject({ ok: false, why: 'hard-link', message, refusal: { by: 'sandbox' } });
    expect(files.append('link', 'x')).toMatchObject({ ok: false, why: 'hard-link' });
    expect(readFileSync(join(base, 'secret'), 'utf8')).toBe('SECRET');
    expect(files.readText('link')).toEqual({ ok: true, text: 'SECRET' });
  });

  test.runIf(process.platform !== 'win32')('row 9: FIFOs, sockets and devices neither hang nor answer', async () => {
    const { root, files } = useHostile();
    execFileSync('mkfifo', [join(root, 'fifo')]);
    symlinkSync('/dev/zero', join(root, 'zero'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, 'socket'), resolve));
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const path of ['fifo', 'socket']) {
      const why = 'special-file';
      expect(files.readText(path)).toMatchObject({ ok: false, why, refusal: { by: 'sandbox' } });
      expect(files.write(path, 'x')).toMatchObject({ ok: false, why });
      expect(files.append(path, 'x')).toMatchObject({ ok: false, why });
      expect(files.exists(path)).toEqual({ ok: true, exists: true });
    }
    expect(files.readText('zero')).toMatchObject({ ok: false, why: 'outside' });
  });

  test.runIf(process.platform === 'linux' && process.getuid?.() === 0)('row 9: a device inside the root is refused', () => {
    const { root, files } = useHostile();
    execFileSync('mknod', [join(root, 'zero'), 'c', '1', '5']);
    expect(files.readText('zero')).toMatchObject({ ok: false, why: 'special-file' });
    expect(files.write('zero', 'x')).toMatchObject({ ok: false, why: 'special-file' });
  });

  test('row 9: a sparse file of 1 TiB is too large by its size', () => {
    const { root, files } = useHostile();
    closeSync(openSync(join(root, 'sparse'), 'w'));
    truncateSync(join(root, 'sparse'), 2 ** 40);
    expect(files.readText('sparse')).toMatchObject({ ok: false, why: 'too-large' });
    expect(files.append('sparse', 'x')).toMatchObject({ ok: false, why: 'too-large' });
  });

  test('row 10: what permit() refuses stays closed under a broad root', () => {
    const { root, files } = useHostile({ permit: refuseNames('.ssh', '.env', '.npmrc') });
    mkdirSync(join(root, 'home/.ssh'), { recursive: true });
    for (const name of ['home/.ssh/id_rsa', 'home/.env', 'home/.npmrc']) writeFileSync(join(root, name), 'SECRET');
    symlinkSync('home/.ssh', join(root, 'keys'));
    for (const path of ['home/.ssh/id_rsa', 'keys/id_rsa', 'home/.env', 'home/.npmrc']) {
      expect(files.readText(path)).toMatchObject({ ok: false, why: 'refused', refusal: { by: 'policy' } });
      expect(files.write(path, 'x')).toMatchObject({ ok: false, why: 'refused' });
    }
    expect(files.list('keys')).toMatchObject({ ok: false, why: 'refused' });
    expect(readFileSync(join(root, 'home/.env'), 'utf8')).toBe('SECRET');
  });

  test('a directory of 60,000 entries is refused at the limit', () => {
    const { root, files } = useHostile({ limits: { ...DEFAULT_FILE_LIMITS, maxEntries: 1000 } });
    mkdirSync(join(root, 'many'));
    for (let count = 0; count < 2000; count += 1) writeFileSync(join(root, 'many', `${count}`), '');
    expect(files.list('many')).toMatchObject({ ok: false, why: 'too-many-entries' });
  });

  test('no descriptor is left open, whatever happened', () => {
    const { root, files } = useHostile({ permit: refuseNames('.env') });
    symlinkSync('..', join(root, 'out'));
    symlinkSync('gone', join(root, 'dangling'));
    mkdirSync(join(root, 'a'));
    writeFileSync(join(root, 'a/.env'), 'x');
    writeFileSync(join(root, 'a/f'), 'x');
    const before = countDescriptors();
    for (const path of ['a', 'a/f', 'a/f/g', 'a/.env', 'out/secret', 'dangling', 'gone/x', 'a/b/c', '../x', '\0']) every(files, path);
    expect(countDescriptors()).toBe(before);
  });
});

const countDescriptors = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);

test.runIf(process.platform === 'linux')('a full disk is reported with how far it came', () => {
  const root = useTmp();
  // RLIMIT_FSIZE stands in for a full disk: the same partial write, then the same kind of error.
  const source = `
    import { createFileAccess, DEFAULT_FILE_LIMITS } from './src/executors/files/files.ts';
    process.on('SIGXFSZ', () => {});
    const files = createFileAccess({ root: ${JSON.stringify(root)}, permit: () => ({ allowed: true }), limits: DEFAULT_FILE_LIMITS });
    process.stdout.write(JSON.stringify(files.write('x', 'y'.repeat(100_000))));`;
  const bundle = ['--bundle', '--platform=node', '--format=cjs', '--loader=ts'];
  const script = execFileSync('node_modules/.bin/esbuild', bundle, { input: source });
  writeFileSync(join(root, 'script.cjs'), script);
  const answer = execFileSync('prlimit', ['--fsize=65536', process.execPath, join(root, 'script.cjs')], { encoding: 'utf8' });
  const message = 'Cannot write "x": the operating system answered EFBIG after 65536 of 100000 bytes';
  expect(JSON.parse(answer)).toEqual({ ok: false, why: 'io-error', message });
});
