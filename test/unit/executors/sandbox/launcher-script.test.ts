import fc from 'fast-check';
import { describe, test } from 'vitest';

import { FIRST_FILE, outerStatus, SLOT_PIPES, toLauncherScript, tryToRequest } from '../../../../src/executors/sandbox/launcher-script.ts';

describe('tryToRequest()', () => {
  test('tells words, control files and their number apart again', ({ expect }) => {
    const text = fc.string({ unit: 'grapheme' }).filter((word) => !word.includes('\x1f'));
    fc.assert(
      fc.property(fc.array(text), fc.array(text), fc.boolean(), (words, groups, staged) => {
        const request = tryToRequest({ words, groups, staged }) ?? Buffer.alloc(0);
        const end = request.indexOf('\n');
        const bytes = request.subarray(end + 1);
        expect(request.subarray(0, end).toString()).toBe(String(bytes.length));
        const [kind, count, ...rest] = bytes.toString().split('\x1f').slice(0, -1);
        expect([kind, count]).toEqual([staged ? 'staged' : 'plain', String(groups.length)]);
        expect(rest).toEqual([...groups, ...words]);
      }),
    );
  });

  test.for([
    { words: ['a\x1fb'], groups: [] },
    { words: ['a'], groups: ['/sys/\x1f'] },
  ])('has none for $words in $groups', ({ words, groups }, { expect }) => {
    expect(tryToRequest({ words, groups, staged: false })).toBeUndefined();
  });
});

describe('toLauncherScript()', () => {
  test('opens each file anew under its own number, clear of the pipes', ({ expect }) => {
    const script = toLauncherScript(2);
    expect(script).toContain('exec 6</proc/self/fd/6 7</proc/self/fd/7 || exit');
    expect(outerStatus(2)).toBe(FIRST_FILE + 2);
    expect(toLauncherScript(0)).not.toContain('</proc/self/fd/6');
  });

  test('closes at the end every pipe that it has made', ({ expect }) => {
    const last =
      toLauncherScript(3)
        .split('\n')
        .find((line) => line.includes('exec -c')) ?? '';
    for (const pipe of Object.values(SLOT_PIPES)) expect(last).toContain(` ${pipe}>&-`);
  });

  test('refuses more files than there are numbers', ({ expect }) => {
    expect(() => toLauncherScript(40)).toThrow('40');
  });
});
