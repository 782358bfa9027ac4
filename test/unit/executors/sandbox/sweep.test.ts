import { describe, test } from 'vitest';

import { describeOwner, isOwnerAlive, tryParseStat } from '../../../../src/executors/sandbox/owner.ts';
import { tryFindMark, tryFindVariable } from '../../../../src/executors/sandbox/sweep.ts';

describe('tryFindMark()', () => {
  const ours = ['/usr/bin/bwrap', '--args', '3', '--setenv', 'PLUGBRIDGE_OWNER', '42:7', '--unsetenv', 'PLUGBRIDGE_OWNER', '--', 'x'];
  test.for([
    ['a sandbox of ours', ours, '42:7'],
    ['a program that is not bubblewrap', ['/usr/bin/vi', ...ours.slice(1)], undefined],
    ['a name that ends alike', ['/usr/bin/notbwrap', ...ours.slice(1)], undefined],
    ['a mark among the arguments of the command', ['/usr/bin/bwrap', '--', ...ours.slice(1)], undefined],
    ['half a mark', ours.toSpliced(6, 2), undefined],
    ['nothing', [], undefined],
  ] as const)('reads %s', ([, words, wanted], { expect }) => {
    expect(tryFindMark(words)).toBe(wanted);
  });
});

test('tryFindVariable() reads the whole name only', ({ expect }) => {
  expect(tryFindVariable(['A=1', 'PLUGBRIDGE_OWNER=42:7'])).toBe('42:7');
  expect(tryFindVariable(['PLUGBRIDGE_OWNERS=42:7', 'XPLUGBRIDGE_OWNER=1:1'])).toBeUndefined();
});

describe('isOwnerAlive()', () => {
  test('knows this process, a reused id and a gone one', ({ expect }) => {
    expect(isOwnerAlive(describeOwner())).toBe(true);
    expect(isOwnerAlive(`${process.pid}:1`)).toBe(false);
    expect(isOwnerAlive('4194305:1')).toBe(false);
  });

  test.for(['', 'x', '12', '12:', ':3', '12:3:4', '-1:3', '12 :3'])('takes the mark %j for somebody else’s', (mark, { expect }) => {
    expect(isOwnerAlive(mark)).toBe(true);
  });
});

test('tryParseStat() is not misled by a program’s name', ({ expect }) => {
  const tail = Array.from({ length: 40 }, (_, index) => index + 100).join(' ');
  expect(tryParseStat(`9 (a) Z 1 2 (b) S 7 8 ${tail}`)).toEqual({ state: 'S', parent: 7, group: 8, startTime: 116 });
  expect(tryParseStat('')).toBeUndefined();
});
