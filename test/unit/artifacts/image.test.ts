import fc from 'fast-check';
import { expect, test } from 'vitest';

import { tryReadImage } from '../../../src/artifacts/image.ts';
import { GIF, makeJpeg, makePng, WEBP_LOSSLESS, WEBP_LOSSY } from '../../helpers/images.ts';

const extended = (): Buffer => {
  const bytes = Buffer.alloc(30);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(22, 4);
  bytes.write('WEBPVP8X', 8);
  bytes.writeUIntLE(799, 24, 3);
  bytes.writeUIntLE(599, 27, 3);
  return bytes;
};
const IMAGES = [
  ['PNG', makePng(7, 9), { mimeType: 'image/png', width: 7, height: 9 }],
  ['GIF', GIF, { mimeType: 'image/gif', width: 1, height: 1 }],
  ['JPEG', makeJpeg(640, 480), { mimeType: 'image/jpeg', width: 640, height: 480 }],
  ['lossy WebP', WEBP_LOSSY, { mimeType: 'image/webp', width: 1, height: 1 }],
  ['lossless WebP', WEBP_LOSSLESS, { mimeType: 'image/webp', width: 1, height: 1 }],
  ['extended WebP', extended(), { mimeType: 'image/webp', width: 800, height: 600 }],
] as const;

test.for(IMAGES)('tryReadImage() reads a %s', ([, bytes, facts]) => {
  expect(tryReadImage(bytes)).toEqual(facts);
  expect(tryReadImage(new Uint8Array(bytes))).toEqual(facts);
});

test.for(IMAGES)('tryReadImage() refuses a %s that was cut anywhere', ([, bytes]) => {
  for (let length = 0; length < bytes.length; length++) expect(tryReadImage(bytes.subarray(0, length))).toBeUndefined();
});

test.for([
  ['nothing', ''],
  ['text', 'a picture of a cat'],
  ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
  ['a PDF', '%PDF-1.7\n%%EOF'],
] as const)('tryReadImage() refuses %s', ([, text]) => {
  expect(tryReadImage(Buffer.from(text))).toBeUndefined();
});

test('tryReadImage() refuses an image without pixels', () => {
  expect(tryReadImage(makePng(0, 4))).toBeUndefined();
  expect(tryReadImage(makeJpeg(0, 4))).toBeUndefined();
});

test('tryReadImage() never throws, whatever follows a signature', () => {
  const heads = ['', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'GIF89a', '\xff\xd8\xff', '\xff\xd8\xff\xc0', 'RIFF\0\0\0\0WEBPVP8L\0\0\0\0/'].map(
    (head) => Buffer.from(head, 'latin1'),
  );
  const tails = [[], [0xff, 0xd9], [0x3b]].map((tail) => Buffer.from(tail));
  fc.assert(
    fc.property(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 80 }), fc.constantFrom(...tails), (head, body, tail) => {
      const facts = tryReadImage(Buffer.concat([head, body, tail]));
      if (facts !== undefined) expect(Math.min(facts.width, facts.height)).toBeGreaterThan(0);
    }),
  );
});
