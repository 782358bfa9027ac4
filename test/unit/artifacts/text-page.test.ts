import fc from 'fast-check';
import { expect, test } from 'vitest';

import { findCharacterStart, fitCharacters } from '../../../src/artifacts/text-page.ts';

test('fitCharacters() cuts any text into pages that are whole characters and together the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-composite', maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (text, maxBytes) => {
      const bytes = Buffer.from(text);
      let rest: Buffer = bytes;
      let joined = '';
      while (rest.length > 0) {
        const length = fitCharacters(rest, maxBytes);
        expect(length).toBeGreaterThan(0);
        expect(length).toBeLessThanOrEqual(Math.max(maxBytes, 4));
        joined += new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(rest.subarray(0, length));
        rest = rest.subarray(length);
      }
      expect(joined).toBe(bytes.toString());
    }),
  );
});

test.for([
  [0, 0],
  [1, 1],
  [2, 1],
  [3, 1],
  [4, 4],
] as const)('findCharacterStart() at %i of "a€b" is %i', ([at, start]) => {
  expect(findCharacterStart(Buffer.from('a€b'), at)).toBe(start);
});
