/** What the first and last bytes of an image say of it. */
export interface ImageFacts {
  readonly mimeType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';
  readonly width: number;
  readonly height: number;
}
type Size = Pick<ImageFacts, 'width' | 'height'>;

/** Each reader knows its format by its signature, wants its end to be there, and finds the size; undefined for anything else. */
const READERS = {
  'image/png': tryReadPng,
  'image/jpeg': tryReadJpeg,
  'image/gif': tryReadGif,
  'image/webp': tryReadWebp,
} as const satisfies Record<ImageFacts['mimeType'], (bytes: Buffer) => Size | undefined>;

/**
 * Recognises the images that models are shown, whole ones only: clients send every image back with each later turn, and
 * one that cannot be decoded makes all of these fail. The pixels are not decoded. Reads any bytes without throwing.
 */
export function tryReadImage(content: Uint8Array): ImageFacts | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  for (const mimeType of Object.keys(READERS) as (keyof typeof READERS)[]) {
    const size = READERS[mimeType](bytes);
    if (size !== undefined) return size.width > 0 && size.height > 0 ? { mimeType, ...size } : undefined;
  }
  return undefined;
}

const startsWith = (bytes: Buffer, text: string, at = 0): boolean => bytes.toString('latin1', at, at + text.length) === text;

/** PNG third edition, sections 5.2 and 11.2: signature, IHDR first, IEND last. */
function tryReadPng(bytes: Buffer): Size | undefined {
  const isWhole = bytes.length >= 45 && startsWith(bytes, '\x89PNG\r\n\x1a\n\0\0\0\rIHDR') && bytes.subarray(-8, -4).equals(IEND);
  return isWhole ? { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) } : undefined;
}
const IEND = Buffer.from('IEND');

/** GIF89a, sections 17, 18 and 27. */
function tryReadGif(bytes: Buffer): Size | undefined {
  const isWhole = bytes.length >= 14 && (startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a')) && bytes.at(-1) === 0x3b;
  return isWhole ? { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) } : undefined;
}

/** ITU-T T.81, annex B: segments up to the frame header, which holds the size. */
function tryReadJpeg(bytes: Buffer): Size | undefined {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== 0xffd8 || bytes.readUInt16BE(bytes.length - 2) !== 0xffd9) return undefined;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) at += 1;
    else if (isFrameHeader(marker)) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    else if (marker === 0xda || marker < 0xc0) return undefined;
    else at += 2 + Math.max(bytes.readUInt16BE(at + 2), 2);
  }
  return undefined;
}

/** SOF0 to SOF15; the three others of the range are tables. */
const isFrameHeader = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** RFC 9649, sections 2.4 to 2.7: a RIFF file whose first chunk says the size. */
function tryReadWebp(bytes: Buffer): Size | undefined {
  const isWhole =
    bytes.length >= 30 && startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBP', 8) && bytes.readUInt32LE(4) === bytes.length - 8;
  if (!isWhole) return undefined;
  if (startsWith(bytes, 'VP8X', 12)) return { width: 1 + bytes.readUIntLE(24, 3), height: 1 + bytes.readUIntLE(27, 3) };
  if (startsWith(bytes, 'VP8 ', 12) && startsWith(bytes, '\x9d\x01\x2a', 23)) {
    return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  }
  if (!startsWith(bytes, 'VP8L', 12) || bytes[20] !== 0x2f) return undefined;
  const packed = bytes.readUInt32LE(21);
  return { width: 1 + (packed & 0x3fff), height: 1 + ((packed >>> 14) & 0x3fff) };
}
