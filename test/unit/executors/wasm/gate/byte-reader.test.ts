import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createReader, quoteName, readU32, skipS32, skipS64 } from '../../../../../src/executors/wasm/gate/byte-reader.ts';
import { leb } from '../../../../helpers/wasm-fixture.ts';

const reader = (...bytes: number[]): ReturnType<typeof createReader> => createReader(new Uint8Array(bytes));

describe('readU32()', () => {
  test('reads back every number, padded or not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (value) => {
        const short = leb(value);
        expect(readU32(reader(...short))).toBe(value);
        const padded = [...short];
        while (padded.length < 5) {
          padded[padded.length - 1] = (padded.at(-1) ?? 0) | 0x80;
          padded.push(0);
        }
        const padding = reader(...padded, 0xff);
        expect(readU32(padding)).toBe(value);
        expect(padding.at).toBe(5);
      }),
    );
  });

  test.for([
    [[0x80, 0x80, 0x80, 0x80, 0x10], 'a number has more than 32 bits'],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0x00], 'a number has more than 32 bits'],
    [[0x80, 0x80], 'the section or function ends in the middle of something'],
  ] as const)('refuses %j', ([bytes, reason]) => {
    expect(() => readU32(reader(...bytes))).toThrow(reason);
  });
});

describe('skipS32() and skipS64()', () => {
  const tail = (count: number, last: number): number[] => [...Array<number>(count).fill(0xff), last];
  test.for([
    [skipS32, tail(4, 0x07), true],
    [skipS32, tail(4, 0x78), true],
    [skipS32, tail(4, 0x7f), true],
    [skipS32, tail(4, 0x08), false],
    [skipS32, tail(4, 0x77), false],
    [skipS32, tail(4, 0x87), false],
    [skipS64, tail(9, 0x00), true],
    [skipS64, tail(9, 0x7f), true],
    [skipS64, tail(9, 0x01), false],
    [skipS64, tail(9, 0x80), false],
  ] as const)('%s of %j: %s', ([skip, bytes, isGood]) => {
    const outcome = (): void => skip(reader(...bytes, 0));
    if (isGood) expect(outcome).not.toThrow();
    else expect(outcome).toThrow(/a number has more than (?:32|64) bits/);
  });
});

describe('quoteName()', () => {
  test.for([
    ['plain', 'plain'],
    ['two words', 'two words'],
    ['line\nbreak\u202e', String.raw`line\u{a}break\u{202e}`],
    ['x'.repeat(100), `${'x'.repeat(63)}…`],
  ] as const)('shows %j as %s', ([name, shown]) => {
    expect(quoteName(name)).toBe(shown);
  });
});
