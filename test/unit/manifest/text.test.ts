import fc from 'fast-check';
import { expect, test } from 'vitest';

import { nearestName } from '../../../src/manifest/nearest-name.ts';
import { describeValue, formatKey, formatProblem, quote } from '../../../src/manifest/problem.ts';
import { isSafeName, isSafeRelativePath, isSemanticVersion } from '../../../src/manifest/text.ts';

test.for(['brain', 'a', 'A1', 'slack-gateway', 'a_b', 'a.b', '1.2.3', 'a'.repeat(64), 'constructor'])('isSafeName() takes %j', (name) =>
  expect(isSafeName(name)).toBe(true),
);

test.for([
  '',
  '.',
  '..',
  '.a',
  'a.',
  'a..b',
  '-a',
  '_a',
  '__proto__',
  'a/b',
  'a\\b',
  'a b',
  'a\n',
  'a\0',
  'é',
  'а',
  'a:b',
  'a'.repeat(65),
  1,
  undefined,
])('isSafeName() refuses %j', (name) => expect(isSafeName(name)).toBe(false));

test('isSafeName() takes no name that a path, a shell or an option parser reads otherwise', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'B', '1', '.', '-', '_', '/', '\\', ' ', '\n', '~', '$'), maxLength: 8 }),
      (name) => {
        if (!isSafeName(name)) return;
        expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
        expect(name.split('.')).not.toContain('');
      },
    ),
    { numRuns: 2_000 },
  );
});

test.for(['x.wasm', './x.wasm', 'a/b/x.wasm', 'a//b', 'a..b', '...', 'ünïcode.wasm', 'a b'])('isSafeRelativePath() takes %j', (path) =>
  expect(isSafeRelativePath(path)).toBe(true),
);

test.for(['', '/x', '..', '../x', 'a/../x', 'a/..', 'a\\x', '\\\\host\\x', 'C:x', 'c:/x', 'a\0b', 'a\nb', 'x'.repeat(1_025)])(
  'isSafeRelativePath() refuses %j',
  (path) => expect(isSafeRelativePath(path)).toBe(false),
);

test.for([
  ['1.2.3', true],
  ['0.0.0', true],
  ['1.0.0-alpha.1', true],
  ['1.0.0+build', true],
  ['1.0.0-0A.is.legal', true],
  ['1.2', false],
  ['v1.2.3', false],
  ['01.2.3', false],
  ['1.2.3-01', false],
  ['1.2.3 ', false],
] as const)('isSemanticVersion(%j) is %s', ([version, is]) => expect(isSemanticVersion(version)).toBe(is));

test.for([
  ['permisions', 'permissions'],
  ['keyword', 'keywords'],
  ['Name', 'name'],
  ['nmae', 'name'],
  ['title', undefined],
  ['', undefined],
  ['na', undefined],
] as const)('nearestName(%j) is %j', ([name, nearest]) => {
  expect(nearestName(name, ['name', 'version', 'permissions', 'keywords'])).toBe(nearest);
});

test.for([
  [[], ''],
  [['plugin', 'name'], 'plugin.name'],
  [['commands', 2, 'input', 'limit'], 'commands[2].input.limit'],
  [['a b', '', 'x"'], '"a b".""."x\\""'],
  [['\u001B[2J'], '"\\u001b[2J"'],
] as const)('formatKey(%j) is %s', ([path, key]) => expect(formatKey(path)).toBe(key));

test('quote() leaves nothing that a terminal obeys or that reads in another direction', () => {
  expect(quote('a\n\u001B‮b\u007F\u200B')).toBe('"a\\n\\u001b\\u{202e}b\\u{7f}\\u{200b}"');
  expect(quote('x'.repeat(100))).toBe(`"${'x'.repeat(80)}…"`);
});

test.for([
  ['x', '"x"'],
  [1.5, 'the number 1.5'],
  [10n, 'an integer beyond 2^53'],
  [false, 'false'],
  [null, 'null'],
  [[1, 2], 'a list of 2'],
  [{}, 'a table'],
  [new Date(0), 'a date or time without quotes'],
] as const)('describeValue() says %#', ([value, text]) => expect(describeValue(value)).toBe(text));

test('formatProblem() has the line where there is one', () => {
  expect(formatProblem({ file: 'F', line: 3, message: 'is bad' })).toBe('F:3: is bad');
  expect(formatProblem({ file: 'F', message: 'is bad' })).toBe('F: is bad');
});
