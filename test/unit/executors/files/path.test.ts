import fc from 'fast-check';
import { posix } from 'node:path';
import { expect, test } from 'vitest';

import { isInside, parsePath } from '../../../../src/executors/files/path.ts';
import { FileProblem } from '../../../../src/executors/files/result.ts';

const LINUX = { root: '/srv/data', platform: 'linux' } as const;
const WINDOWS = { root: 'C:\\Users\\me\\data', platform: 'win32' } as const;

const problemOf = (path: string, anchor: typeof LINUX | typeof WINDOWS): FileProblem | undefined => {
  try {
    parsePath(path, anchor);
    return undefined;
  } catch (error) {
    if (error instanceof FileProblem) return error;
    throw error;
  }
};

test.for([
  ['a.txt', ['a.txt']],
  ['wiki/a.txt', ['wiki', 'a.txt']],
  ['', []],
  ['.', []],
  ['./a//b/./c', ['a', 'b', 'c']],
  ['wiki/', ['wiki']],
  ['/srv/data', []],
  ['/srv/data/', []],
  ['/srv/data/a/b', ['a', 'b']],
  ['//srv//data/a', ['a']],
  ['srv/data/a', ['srv', 'data', 'a']],
  ['...', ['...']],
  ['..a/b..', ['..a', 'b..']],
  ['..\\..\\etc', ['..\\..\\etc']],
  ['%2e%2e/a', ['%2e%2e', 'a']],
  ['a.', ['a.']],
  ['~/.ssh', ['~', '.ssh']],
  ['C:\\a', ['C:\\a']],
] as const)('parsePath() reads %j as the segments %j', ([path, segments]) => {
  expect(parsePath(path, LINUX)).toEqual(segments);
});

test.for([
  ['..', 'outside', 'it holds "..", which is never followed'],
  ['../../etc/passwd', 'outside', 'it holds "..", which is never followed'],
  ['a/../b', 'outside', 'it holds "..", which is never followed'],
  ['/srv/data/../data/a', 'outside', 'it holds "..", which is never followed'],
  ['/srv/data2/a', 'outside', 'it is not below the root "/srv/data"'],
  ['/srv/dat', 'outside', 'it is not below the root "/srv/data"'],
  ['/srv', 'outside', 'it is not below the root "/srv/data"'],
  ['/', 'outside', 'it is not below the root "/srv/data"'],
  ['/etc/passwd', 'outside', 'it is not below the root "/srv/data"'],
  ['a\0.txt', 'null-byte', 'it holds a null byte'],
  ['../\0', 'null-byte', 'it holds a null byte'],
  ['x'.repeat(4097), 'bad-path', 'it is longer than 4096 bytes'],
  ['a/'.repeat(129), 'bad-path', 'it is deeper than 128 directories'],
  ['a\ud800b', 'bad-path', 'it is not valid Unicode'],
] as const)('parsePath() refuses %j as %s', ([path, why, message]) => {
  expect(problemOf(path, LINUX)).toMatchObject({ why, message });
});

test.for([
  ['a\\b/c', ['a', 'b', 'c']],
  ['c:\\users\\ME\\data\\x', ['x']],
  ['C:/Users/me/data', []],
] as const)('parsePath() reads %j on Windows as %j', ([path, segments]) => {
  expect(parsePath(path, WINDOWS)).toEqual(segments);
});

test.for([
  ['..\\secret', 'outside'],
  ['C:\\Windows', 'outside'],
  ['\\\\server\\share', 'outside'],
  ['D:x', 'outside'],
  ['file.txt:stream', 'bad-path'],
  ['con', 'bad-path'],
  ['a\\NUL.txt', 'bad-path'],
  ['.env ', 'bad-path'],
  ['.env.', 'bad-path'],
] as const)('parsePath() refuses %j on Windows as %s', ([path, why]) => {
  expect(problemOf(path, WINDOWS)?.why).toBe(why);
});

test.for([
  ['/data', '/data', true],
  ['/data/a', '/data', true],
  ['/data2', '/data', false],
  ['/dat', '/data', false],
  ['/etc', '/', true],
  ['/', '/', true],
  ['pipe:[1]', '/', false],
] as const)('isInside() says of %j in %j: %j', ([path, root, answer]) => {
  expect(isInside(path, root)).toBe(answer);
});

test('parsePath() never leads out of the root, whatever it accepts', () => {
  const segment = fc.oneof(
    fc.constantFrom('..', '.', '', '/', '\\', '\0', 'srv', 'data', 'data2', '...', '%2e%2e'),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 12 }), fc.boolean(), (parts, absolute) => {
      const path = (absolute ? '/' : '') + parts.join('/');
      if (problemOf(path, LINUX) !== undefined) return;
      const joined = [LINUX.root, ...parsePath(path, LINUX)].join('/');
      expect(joined).toBe(posix.resolve(LINUX.root, path).replace(/(?<=.)\/$/, ''));
      expect(isInside(joined, LINUX.root)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
