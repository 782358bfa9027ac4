import fc from 'fast-check';
import { describe, test } from 'vitest';

import { chooseFiles, MAX_CHECKED_FILES, parseProblems } from '../../../../../src/executors/script/languages/check-syntax.ts';

const toFiles = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, '']));

describe('chooseFiles()', () => {
  test('takes the script first, then the files of its language that are its own', ({ expect }) => {
    const names = [
      'b.py',
      'a.py',
      'run',
      'x.js',
      '.dependencies/python/c.py',
      'node_modules/d.py',
      'lib/node_modules/e.py',
      'lib/f.py',
      'g.PY',
    ];
    expect(chooseFiles({ main: 'run', files: toFiles(names), language: 'python' })).toEqual({
      checked: ['run', 'a.py', 'b.py', 'lib/f.py'],
      skipped: 0,
    });
  });

  test('counts what is too much', ({ expect }) => {
    const names = Array.from({ length: MAX_CHECKED_FILES + 7 }, (_, index) => `${index}.rb`);
    const { checked, skipped } = chooseFiles({ main: '0.rb', files: toFiles(names), language: 'ruby' });
    expect([checked.length, skipped]).toEqual([MAX_CHECKED_FILES, 7]);
  });
});

describe('parseProblems()', () => {
  test('reads index, line and message', ({ expect }) => {
    expect(parseProblems('1\t3\tbad\tthing\n0\t0\tworse\n', ['a.py', 'b.py'])).toEqual(['b.py:3: bad thing', 'a.py: worse']);
  });

  test('reports what it does not understand as a problem', ({ expect }) => {
    expect(parseProblems('oh no\n9\t1\tx\n-1\t1\tx', ['a'])).toEqual([
      'its syntax cannot be checked: oh no',
      'its syntax cannot be checked: 9 1 x',
      'its syntax cannot be checked: -1 1 x',
    ]);
  });

  test('gives one printable line for every line of whatever comes, and none for none', ({ expect }) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'binary' }), { maxLength: 3 }), (output, files) => {
        const problems = parseProblems(output, files);
        expect(problems.length).toBe(output.split('\n').filter((line) => line !== '').length);
        expect(problems.filter((problem) => /[\p{Cc}\u2028\u2029]/u.test(problem))).toEqual([]);
      }),
    );
  });
});
