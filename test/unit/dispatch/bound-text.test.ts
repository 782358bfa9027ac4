import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { boundText, cutAtCharacter } from '../../../src/dispatch/bound-text.ts';
import type { Artifact } from '../../../src/dispatch/outcome.ts';

const ARTIFACT: Artifact = {
  uri: 'plugbridge://artifact/1/result.txt',
  name: 'result.txt',
  mimeType: 'text/plain',
  bytes: 12,
  digest: 'sha256:0',
};
const never = (): Promise<never> => Promise.reject(new Error('kept without need'));

describe('boundText()', () => {
  test.for(['', 'x', 'x'.repeat(10)])('passes on %o, which is short enough', async (text) => {
    expect(await boundText(text, { maxCharacters: 10, keep: never })).toEqual({ text, truncated: false });
  });

  test('cuts what is longer, and says where the whole of it is', async () => {
    const kept: string[] = [];
    const bound = await boundText('0123456789ab', {
      maxCharacters: 10,
      keep: (text) => {
        kept.push(text);
        return Promise.resolve({ kind: 'stored', artifact: ARTIFACT });
      },
    });
    expect(kept).toEqual(['0123456789ab']);
    expect(bound).toEqual({
      text: '0123456789\n\n[cut after 10 of 12 characters; the whole text is kept as plugbridge://artifact/1/result.txt: read it with plugbridge_read_artifact (offset, limit) or as a resource]',
      artifact: ARTIFACT,
      truncated: true,
    });
  });

  test('says why the rest is lost when it could not be kept', async () => {
    const bound = await boundText('0123456789ab', {
      maxCharacters: 10,
      keep: () => Promise.resolve({ kind: 'refused', reason: 'the disk is full' }),
    });
    expect(bound).toEqual({
      text: '0123456789\n\n[cut after 10 of 12 characters; the rest is lost: the disk is full]',
      truncated: true,
    });
  });
});

describe('cutAtCharacter()', () => {
  test.for([
    ['a😀b', 1, 'a'],
    ['a😀b', 2, 'a'],
    ['a😀b', 3, 'a😀'],
    ['ab', 5, 'ab'],
  ] as const)('cuts %s at %i to %s', ([text, maxCharacters, wanted]) => {
    expect(cutAtCharacter(text, maxCharacters)).toBe(wanted);
  });

  test('gives a well-formed prefix that is at most one unit shorter', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (text, maxCharacters) => {
        const cut = cutAtCharacter(text, maxCharacters);
        expect(text.startsWith(cut)).toBe(true);
        expect(cut).not.toMatch(/\p{Cs}/u);
        expect(cut.length).toBeGreaterThanOrEqual(Math.min(text.length, maxCharacters) - 1);
        expect(cut.length).toBeLessThanOrEqual(maxCharacters);
      }),
    );
  });
});
