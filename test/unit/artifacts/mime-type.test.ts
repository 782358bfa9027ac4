import fc from 'fast-check';
import { expect, test } from 'vitest';

import { essenceOf, isMimeType, mimeTypeOf } from '../../../src/artifacts/mime-type.ts';

test.for([
  ['chart.png', 'image/png'],
  ['PHOTO.JPG', 'image/jpeg'],
  ['report.csv', 'text/csv'],
  ['book.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  ['lines.jsonl', 'application/x-ndjson'],
  ['script.ts', 'text/plain'],
  ['script.py', 'text/x-python'],
  ['page.html', 'text/html'],
  ['no-extension', 'application/octet-stream'],
  ['x.nobody-knows-this', 'application/octet-stream'],
  ['x.constructor', 'application/octet-stream'],
  ['x.__proto__', 'application/octet-stream'],
  ['.png', 'image/png'],
  ['', 'application/octet-stream'],
] as const)('mimeTypeOf() knows %s as %s', async ([name, wanted]) => {
  expect(await mimeTypeOf({ name })).toBe(wanted);
});

test('mimeTypeOf() takes what is said before what the name says', async () => {
  expect(await mimeTypeOf({ name: 'a.png', mimeType: 'text/plain; charset=utf-8' })).toBe('text/plain; charset=utf-8');
});

test.for(['', 'png', 'image/', 'image/png\nx: y', 'a b/c', `text/${'x'.repeat(65)}`])('mimeTypeOf() passes over %j', async (mimeType) => {
  expect(isMimeType(mimeType)).toBe(false);
  expect(await mimeTypeOf({ name: 'a.png', mimeType })).toBe('image/png');
});

test('essenceOf() leaves parameters and case out', () => {
  expect(essenceOf('Image/PNG; q=1')).toBe('image/png');
});

test('mimeTypeOf() gives a type for any name', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async (name) => {
      expect(isMimeType(await mimeTypeOf({ name }))).toBe(true);
    }),
  );
});
