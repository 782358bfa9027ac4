// PNG ⇄ pixels of four bytes each: red, green, blue, alpha (w3.org/TR/png-3).
import { deflateSync, inflateSync } from 'node:zlib';

/** What is wrong with an image or with what was asked for, for whoever called. */
export class ImageError extends Error {}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const MAX_PIXELS = 24_000_000;
/** By colour type: its name, its samples a pixel, and the bits that a sample may have. */
const COLOURS = {
  0: { name: 'grey', samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { name: 'rgb', samples: 3, depths: [8, 16] },
  3: { name: 'palette', samples: 1, depths: [1, 2, 4, 8] },
  4: { name: 'grey with alpha', samples: 2, depths: [8, 16] },
  6: { name: 'rgb with alpha', samples: 4, depths: [8, 16] },
};
const OTHER_FORMATS = [
  { name: 'JPEG', start: [0xff, 0xd8, 0xff] },
  { name: 'GIF', start: [0x47, 0x49, 0x46, 0x38] },
  { name: 'WebP', start: [0x52, 0x49, 0x46, 0x46] },
  { name: 'BMP', start: [0x42, 0x4d] },
  { name: 'PDF', start: [0x25, 0x50, 0x44, 0x46] },
];

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}

/** Size and colours, from the header alone. */
export function describePng(bytes) {
  const { width, height, depth, colour, interlaced } = readHeader(bytes);
  return { width, height, colours: COLOURS[colour].name, bits: depth, interlaced };
}

function readHeader(bytes) {
  if (!SIGNATURE.equals(bytes.subarray(0, 8))) {
    const other = OTHER_FORMATS.find(({ start }) => start.every((byte, index) => bytes[index] === byte));
    throw new ImageError(`Cannot read the image: it is ${other ? `a ${other.name}` : 'no PNG'}, wanted a PNG`);
  }
  if (bytes.length < 33 || bytes.toString('latin1', 12, 16) !== 'IHDR') throw new ImageError('Cannot read the PNG: it has no header');
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const [depth, colour, , , interlace] = bytes.subarray(24, 29);
  if (!COLOURS[colour]?.depths.includes(depth))
    throw new ImageError(`Cannot read the PNG: colour type ${colour} with ${depth} bits is not one of its kinds`);
  if (width === 0 || height === 0) throw new ImageError(`Cannot read the PNG: ${width} × ${height} pixels`);
  if (width * height > MAX_PIXELS)
    throw new ImageError(`Cannot read the PNG: ${width} × ${height} pixels, wanted at most ${MAX_PIXELS} in all`);
  return { width, height, depth, colour, interlaced: interlace !== 0 };
}

function* chunksOf(bytes) {
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const end = at + 12 + length;
    if (end > bytes.length) return;
    if (crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) throw new ImageError('Cannot read the PNG: it is damaged');
    yield { type: bytes.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + 8, end - 4) };
    at = end;
  }
}

/** Throws ImageError with what is wrong. */
export function decodePng(bytes) {
  const header = readHeader(bytes);
  if (header.interlaced) throw new ImageError('Cannot read the PNG: it is interlaced; save it without interlacing');
  const parts = [];
  let palette;
  let transparency;
  for (const { type, data } of chunksOf(bytes)) {
    if (type === 'PLTE') palette = data;
    if (type === 'tRNS') transparency = data;
    if (type === 'IDAT') parts.push(data);
  }
  const { width, height, depth, colour } = header;
  const pixelBits = COLOURS[colour].samples * depth;
  const stride = Math.ceil((width * pixelBits) / 8);
  const rows = unfilter(inflate(parts, (stride + 1) * height), { stride, height, step: Math.max(1, pixelBits >> 3) });
  if (colour === 3 && palette === undefined) throw new ImageError('Cannot read the PNG: it has no palette');
  const pixels = new Uint8Array(width * height * 4);
  const paint = painterOf({ depth, colour, palette, transparency });
  for (let y = 0; y < height; y += 1) {
    const row = rows.subarray(y * stride, (y + 1) * stride);
    for (let x = 0; x < width; x += 1) paint(row, x, pixels, (y * width + x) * 4);
  }
  return { width, height, pixels };
}

function inflate(parts, wanted) {
  try {
    const data = inflateSync(Buffer.concat(parts), { maxOutputLength: wanted });
    if (data.length === wanted) return data;
  } catch (error) {
    if (error.code === 'ERR_BUFFER_TOO_LARGE') throw new ImageError('Cannot read the PNG: it holds more than its size says');
  }
  throw new ImageError('Cannot read the PNG: it is cut off or damaged');
}

/** Undoes the filter of each row (§9); the filter bytes go. */
function unfilter(data, { stride, height, step }) {
  const rows = new Uint8Array(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = data[y * (stride + 1)];
    const source = y * (stride + 1) + 1;
    const here = y * stride;
    if (filter > 4) throw new ImageError('Cannot read the PNG: it is damaged');
    for (let x = 0; x < stride; x += 1) {
      const left = x >= step ? rows[here + x - step] : 0;
      const up = y > 0 ? rows[here + x - stride] : 0;
      const corner = x >= step && y > 0 ? rows[here + x - stride - step] : 0;
      rows[here + x] = data[source + x] + predict(filter, left, up, corner);
    }
  }
  return rows;
}

function predict(filter, left, up, corner) {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const [toLeft, toUp, toCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/** Writes one pixel of a row as four bytes; 16 bits are cut to 8. */
function painterOf({ depth, colour, palette, transparency }) {
  const bytesEach = depth === 16 ? 2 : 1;
  const { samples } = COLOURS[colour];
  const packed = (row, x) => (row[(x * depth) >> 3] >> (8 - depth - ((x * depth) & 7))) & ((1 << depth) - 1);
  if (colour === 3) {
    return (row, x, pixels, at) => {
      const index = packed(row, x);
      if (index * 3 + 2 >= palette.length) throw new ImageError('Cannot read the PNG: it names a colour that its palette does not have');
      pixels.set(palette.subarray(index * 3, index * 3 + 3), at);
      pixels[at + 3] = transparency?.[index] ?? 255;
    };
  }
  const clear =
    transparency === undefined
      ? undefined
      : Array.from({ length: samples }, (_, sample) => (transparency[sample * 2] << 8) | transparency[sample * 2 + 1]);
  const valueAt = (row, x, sample) => {
    if (depth < 8) return packed(row, x);
    const at = (x * samples + sample) * bytesEach;
    return depth === 16 ? (row[at] << 8) | row[at + 1] : row[at];
  };
  const toByte = (value) => (depth === 16 ? value >> 8 : depth === 8 ? value : Math.round((value * 255) / ((1 << depth) - 1)));
  const isClear = (row, x) => clear !== undefined && clear.every((value, sample) => value === valueAt(row, x, sample));
  const channels = colour === 0 || colour === 4 ? [0, 0, 0] : [0, 1, 2];
  const alphaSample = { 4: 1, 6: 3 }[colour];
  return (row, x, pixels, at) => {
    for (let channel = 0; channel < 3; channel += 1) pixels[at + channel] = toByte(valueAt(row, x, channels[channel]));
    pixels[at + 3] = alphaSample === undefined ? (isClear(row, x) ? 0 : 255) : toByte(valueAt(row, x, alphaSample));
  };
}

/** Without alpha where nothing is transparent, and grey where nothing has a colour. */
export function encodePng({ width, height, pixels }) {
  let [opaque, grey] = [true, true];
  for (let at = 0; at < pixels.length; at += 4) {
    if (pixels[at + 3] !== 255) opaque = false;
    if (pixels[at] !== pixels[at + 1] || pixels[at] !== pixels[at + 2]) grey = false;
  }
  const channels = [...(grey ? [0] : [0, 1, 2]), ...(opaque ? [] : [3])];
  const stride = width * channels.length;
  const rows = new Uint8Array(stride * height);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    for (let index = 0; index < channels.length; index += 1) rows[pixel * channels.length + index] = pixels[pixel * 4 + channels[index]];
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, (grey ? 0 : 2) + (opaque ? 0 : 4)], 8);
  const data = deflateSync(filterRows(rows, { stride, height, step: channels.length }), { level: 9 });
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

/** Gives each row the filter with the smallest differences, as §12.7 advises. */
function filterRows(rows, { stride, height, step }) {
  const filtered = Buffer.alloc((stride + 1) * height);
  const tries = Array.from({ length: 5 }, () => new Uint8Array(stride));
  for (let y = 0; y < height; y += 1) {
    const here = y * stride;
    let best = 0;
    let least = Infinity;
    for (let filter = 0; filter < 5; filter += 1) {
      let sum = 0;
      for (let x = 0; x < stride; x += 1) {
        const left = x >= step ? rows[here + x - step] : 0;
        const up = y > 0 ? rows[here + x - stride] : 0;
        const corner = x >= step && y > 0 ? rows[here + x - stride - step] : 0;
        const value = (rows[here + x] - predict(filter, left, up, corner)) & 255;
        tries[filter][x] = value;
        sum += value < 128 ? value : 256 - value;
      }
      if (sum < least) [best, least] = [filter, sum];
    }
    filtered[y * (stride + 1)] = best;
    filtered.set(tries[best], y * (stride + 1) + 1);
  }
  return filtered;
}

function chunk(type, data) {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
  return bytes;
}
