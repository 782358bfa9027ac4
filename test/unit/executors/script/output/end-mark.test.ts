import fc from 'fast-check';
import { describe, test } from 'vitest';

import { createEndMark } from '../../../../../src/executors/script/output/end-mark.ts';

const NONCE = '0123456789abcdef0123456789abcdef';
const MARK = `\0${NONCE}:7\0`;

/** Pushes bytes in the given pieces and collects what is the script’s. */
function follow(bytes: Buffer, cuts: readonly number[]) {
  const mark = createEndMark(NONCE);
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  const pieces = edges.slice(1).map((edge, index) => mark.push(bytes.subarray(edges[index], edge)));
  return { payload: Buffer.concat([...pieces, mark.end()]), code: mark.code };
}

describe('createEndMark()', () => {
  test('finds the mark in whatever pieces the stream comes, and returns all before it', ({ expect }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 20 }), fc.array(fc.nat(300)), (before, after, cuts) => {
        const { payload, code } = follow(Buffer.concat([before, Buffer.from(MARK), after]), cuts);
        expect(code).toBe(7);
        expect(payload.equals(Buffer.from(before))).toBe(true);
      }),
    );
  });

  test('returns every byte of a stream that has none, also one that is full of beginnings of it', ({ expect }) => {
    const beginning = fc.nat(MARK.length - 1).map((length) => Buffer.from(MARK.slice(0, length)));
    const piece = fc.oneof(beginning, fc.constant(Buffer.from(`\0${NONCE}:1234\0`)), fc.uint8Array({ maxLength: 5 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.array(fc.nat(300)), (pieces, cuts) => {
        const bytes = Buffer.concat(pieces);
        // Two beginnings can make a whole one.
        fc.pre(!new RegExp(`\0${NONCE}:\\d{1,3}\0`).test(bytes.toString('latin1')));
        const { payload, code } = follow(bytes, cuts);
        expect(code).toBeUndefined();
        expect(payload.equals(bytes)).toBe(true);
      }),
    );
  });

  test('does not take the mark of another nonce', ({ expect }) => {
    const other = Buffer.from(`x\0${NONCE.replace('0', 'f')}:0\0`);
    expect(follow(other, [])).toEqual({ payload: other, code: undefined });
  });

  test('hands on at once what cannot be the beginning of a mark', ({ expect }) => {
    const mark = createEndMark(NONCE);
    expect(mark.push(Buffer.from('progress')).toString()).toBe('progress');
    expect(mark.push(Buffer.from('more\0')).toString()).toBe('more');
    expect(mark.push(Buffer.from('x')).toString()).toBe('\0x');
  });
});
