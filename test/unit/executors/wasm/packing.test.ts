import fc from 'fast-check';
import { expect, test } from 'vitest';

import { ERROR_PACKED, isWithin, pack, unpack } from '../../../../src/executors/wasm/packing.ts';

const u32 = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1));

test('unpack() gives back what pack() took, whatever the sign of the packed value', () => {
  fc.assert(
    fc.property(u32, u32, (pointer, length) => {
      expect(unpack(pack({ pointer, length }))).toEqual({ pointer, length });
    }),
  );
});

test('pack() gives back what unpack() took, of any 64 bits', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (packed) => {
      expect(pack(unpack(packed))).toBe(packed);
    }),
  );
});

test('isWithin() holds exactly for spans whose every byte is in the memory', () => {
  fc.assert(
    fc.property(u32, u32, fc.integer({ min: 0, max: 64 * 1024 * 1024 }), (pointer, length, bytes) => {
      expect(isWithin({ pointer, length }, bytes)).toBe(BigInt(pointer) + BigInt(length) <= BigInt(bytes));
    }),
  );
});

test('ERROR_PACKED is within no memory', () => {
  expect(isWithin(unpack(ERROR_PACKED), 2 ** 32)).toBe(false);
});
