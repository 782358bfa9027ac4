import fc from 'fast-check';
import { expect, test } from 'vitest';

import { MAX_LINE_BYTES, NO_HASH, tryFindRecord, tryOpenLine, trySealLine, type LineHeader } from '../../../src/audit/line.ts';

const header: LineHeader = { chain: '0123456789abcdef', seq: 3, prev: NO_HASH, time: '2026-01-31T12:00:00.000Z', kind: 'event' };
const seal = (fields: unknown, maxBytes = MAX_LINE_BYTES): Buffer | undefined => {
  const sealed = trySealLine(header, JSON.stringify(fields), Buffer.alloc(maxBytes + 1));
  return sealed === undefined ? undefined : Buffer.from(sealed.bytes.subarray(0, -1));
};

test('trySealLine() makes lines that tryOpenLine() opens, and one flipped bit closes', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), fc.nat(7), (fields, at, bit) => {
      const line = seal({ event: 'x', detail: fields });
      if (line === undefined) return expect.unreachable();
      expect(tryOpenLine(line)).toMatchObject(header);
      expect(JSON.parse(line.toString())).toMatchObject({ ...header, v: 1, event: 'x' });
      line[at % line.length] = (line[at % line.length] ?? 0) ^ (1 << bit);
      expect(tryOpenLine(line)).toBeUndefined();
    }),
  );
});

test('trySealLine() fills a line to its last byte and no further', () => {
  const empty = seal({ event: '' })?.length ?? 0;
  expect(seal({ event: 'x'.repeat(MAX_LINE_BYTES - empty) })).toHaveLength(MAX_LINE_BYTES);
  expect(seal({ event: 'x'.repeat(MAX_LINE_BYTES - empty + 1) })).toBeUndefined();
  expect(seal({ event: '€'.repeat(Math.floor((MAX_LINE_BYTES - empty) / 3)) })?.toString()).toMatch(/€","hash":"/);
  expect(seal({ event: '€'.repeat(Math.ceil((MAX_LINE_BYTES - empty + 1) / 3)) })).toBeUndefined();
});

test('tryFindRecord() finds the record behind a fragment, and none inside of one', () => {
  const inner = seal({ event: 'x' }) ?? Buffer.alloc(0);
  const line = seal({ event: 'y', detail: { text: inner.toString(), copy: JSON.parse(inner.toString()) as unknown } }) ?? Buffer.alloc(0);
  expect(tryFindRecord(line)).toBeUndefined();
  expect(tryFindRecord(Buffer.concat([inner.subarray(0, 50), line]))).toBe(50);
  expect(tryFindRecord(Buffer.concat([line, Buffer.from('x')]))).toBeUndefined();
});
