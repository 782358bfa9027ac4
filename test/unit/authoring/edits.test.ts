import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { applyPatch } from '../../../src/authoring/edits.ts';

const LONG = Array.from({ length: 60 }, (_, index) => `line ${index} of the script`).join('\n');
const texts = (text: string): Map<string, string> => new Map([['main.py', text]]);

describe('applyPatch()', () => {
  test('changes the one place that each edit names, in their order', () => {
    const edits = [
      { file: 'main.py', find: 'one', replace: 'two' },
      { file: 'main.py', find: 'two()', replace: 'three()' },
    ];
    expect(applyPatch(texts('one()'), edits)).toEqual({ ok: true, texts: texts('three()') });
  });

  test.for([
    ['other.py', 'x', 'edit 1: there is no text file "other.py", wanted is one of main.py'],
    ['main.py', '', 'edit 1: "find" is empty, wanted is text that stands in the file exactly once'],
    ['main.py', 'absent', 'edit 1: "find" does not stand in "main.py", wanted is text that stands in it exactly once'],
    ['main.py', 'aa', 'edit 1: "find" stands in "main.py" more than once, wanted is more text around the place'],
    ['main.py', 'b', 'edit 1: "replace" is the same as "find", so that nothing would change'],
  ] as const)('refuses an edit of %s that finds "%s"', ([file, find, reason]) => {
    expect(applyPatch(texts('aaa b'), [{ file, find, replace: 'b' }])).toEqual({ ok: false, reason });
  });

  test('refuses all edits when one does not fit', () => {
    const before = texts('one two');
    const edits = [
      { file: 'main.py', find: 'one', replace: '1' },
      { file: 'main.py', find: 'three', replace: '3' },
    ];
    expect(applyPatch(before, edits)).toMatchObject({ ok: false });
    expect(before).toEqual(texts('one two'));
  });

  test('refuses a rewrite, in one edit or in many, and takes a small change in much text around it', () => {
    const rewrite = { ok: false, reason: 'the patch rewrites "main.py": wanted are edits of the lines that have to change' };
    expect(applyPatch(texts(LONG), [{ file: 'main.py', find: LONG, replace: 'all new' }])).toEqual(rewrite);
    const piecemeal = LONG.split('\n').map((line) => ({ file: 'main.py', find: `${line}`, replace: line.toUpperCase() }));
    // A line may begin another one’s text, which makes that edit ambiguous; these do not.
    const unique = piecemeal.filter(({ find }) => LONG.split(find).length === 2);
    expect(applyPatch(texts(LONG), unique)).toEqual(rewrite);
    expect(applyPatch(texts(LONG), [{ file: 'main.py', find: LONG, replace: LONG.replace('line 30', 'row 30') }])).toMatchObject({
      ok: true,
    });
    expect(applyPatch(texts('short'), [{ file: 'main.py', find: 'short', replace: 'entirely different' }])).toMatchObject({ ok: true });
  });

  test('gives what replacing by hand gives, or refuses', () => {
    const small = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
    fc.assert(
      fc.property(small, small, small, (text, find, replace) => {
        const patched = applyPatch(texts(text), [{ file: 'main.py', find, replace }]);
        const parts = text.split(find);
        if (patched.ok) expect(patched.texts.get('main.py')).toBe(parts.join(replace));
        else expect(find === '' || parts.length !== 2 || find === replace || text.indexOf(find) !== text.lastIndexOf(find)).toBe(true);
      }),
    );
  });
});
