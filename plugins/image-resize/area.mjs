// Cuts out of and puts into the middle of images.
import { ImageError } from './png.mjs';

/** Throws ImageError when the area is not within the image. */
export function cropPixels(image, { x = 0, y = 0, width, height }) {
  const numbers = [x, y, width, height];
  if (!numbers.every((number) => Number.isInteger(number) && number >= 0) || width === 0 || height === 0) {
    throw new ImageError(`Cannot cut out ${JSON.stringify({ x, y, width, height })}: wanted x, y, width and height in whole pixels`);
  }
  if (x + width > image.width || y + height > image.height) {
    throw new ImageError(`Cannot cut out ${width} × ${height} at ${x}, ${y}: the image has ${image.width} × ${image.height} pixels`);
  }
  const pixels = new Uint8Array(width * height * 4);
  for (let row = 0; row < height; row += 1) {
    const start = ((y + row) * image.width + x) * 4;
    pixels.set(image.pixels.subarray(start, start + width * 4), row * width * 4);
  }
  return { width, height, pixels };
}

/** The image in the middle of transparency. */
export function padPixels(image, { width, height }) {
  const pixels = new Uint8Array(width * height * 4);
  const left = (width - image.width) >> 1;
  const top = (height - image.height) >> 1;
  for (let row = 0; row < image.height; row += 1) {
    pixels.set(image.pixels.subarray(row * image.width * 4, (row + 1) * image.width * 4), ((top + row) * width + left) * 4);
  }
  return { width, height, pixels };
}
