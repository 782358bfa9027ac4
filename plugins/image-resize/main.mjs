// Resizes a PNG. Arguments: one JSON object on stdin; answer: one JSON object on stdout.
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';

import { cropPixels, padPixels } from './area.mjs';
import { decodePng, describePng, encodePng, ImageError } from './png.mjs';
import { resizePixels } from './scale.mjs';

const MAX_FILE_BYTES = 48 * 1024 * 1024;
const MAX_SIDE = 4096;

try {
  const args = JSON.parse(readFileSync(0, 'utf8'));
  const bytes = args.path === undefined ? fromBase64(args.png) : readImage(args.path);
  const answer = process.env.KAIZEN_COMMAND === 'inspect_file' ? { ...describePng(bytes), bytes: bytes.length } : resize(bytes, args);
  process.stdout.write(JSON.stringify(answer));
} catch (error) {
  if (!(error instanceof ImageError)) throw error;
  process.stdout.write(JSON.stringify({ error: error.message }));
}

function resize(bytes, { width, height, fit = 'inside', crop, path }) {
  if (width === undefined && height === undefined && crop === undefined) {
    throw new ImageError('Cannot resize the image: wanted width, height, both or crop');
  }
  const source = decodePng(bytes);
  const cut = crop === undefined ? source : cropPixels(source, crop);
  const image = fitInto(cut, { width, height, fit });
  const png = encodePng(image);
  const name = `${path === undefined ? 'image' : basename(path).replace(/\.png$/i, '')}-${image.width}x${image.height}.png`.slice(-100);
  writeFileSync(name, png);
  return {
    width: image.width,
    height: image.height,
    bytes: png.length,
    source: { ...describePng(bytes), bytes: bytes.length },
    files: [{ path: name, mimeType: 'image/png', description: `${image.width} × ${image.height} pixels` }],
  };
}

function fitInto(image, { width, height, fit }) {
  const scales = [width === undefined ? Infinity : width / image.width, height === undefined ? Infinity : height / image.height];
  if (width === undefined && height === undefined) return image;
  if (width === undefined || height === undefined || fit !== 'fill') {
    const both = width !== undefined && height !== undefined;
    const scale = both && fit === 'cover' ? Math.max(...scales) : Math.min(...scales);
    const sides = { width: side(image.width * scale), height: side(image.height * scale) };
    if (!both || fit === 'inside') return resizePixels(image, sides);
    if (fit === 'pad') return padPixels(resizePixels(image, sides), { width, height });
    // What would be cut off is left out before, so that nothing is scaled in vain.
    const kept = { width: Math.min(image.width, width / scale), height: Math.min(image.height, height / scale) };
    const area = { width: Math.max(1, Math.round(kept.width)), height: Math.max(1, Math.round(kept.height)) };
    const x = Math.floor((image.width - area.width) / 2);
    const y = Math.floor((image.height - area.height) / 2);
    return resizePixels(cropPixels(image, { x, y, ...area }), { width, height });
  }
  return resizePixels(image, { width, height });
}

function side(pixels) {
  const rounded = Math.max(1, Math.round(pixels));
  if (rounded > MAX_SIDE) throw new ImageError(`Cannot resize the image: a side of ${rounded} pixels follows, wanted at most ${MAX_SIDE}`);
  return rounded;
}

function fromBase64(text) {
  const plain = text.replace(/^data:image\/png;base64,/, '').replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(plain)) throw new ImageError('Cannot read the image: wanted a PNG as base64');
  return Buffer.from(plain, 'base64');
}

function readImage(path) {
  let file;
  try {
    file = openSync(resolve(process.env.KAIZEN_ROOT_DIR, path), 'r');
    const { size } = fstatSync(file);
    if (size > MAX_FILE_BYTES) throw new ImageError(`Cannot read "${path}": it has ${size} bytes, wanted at most ${MAX_FILE_BYTES}`);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof ImageError) throw error;
    throw new ImageError(`Cannot read "${path}": ${error.code}; wanted a file below the root`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
