// Resizes pixels: averages of areas when smaller, linear in between when larger.

/** Light, not the numbers that stand for it, is what can be averaged (the sRGB curve, IEC 61966-2-1). */
const TO_LIGHT = Float32Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});
const STEPS = 4096;
const FROM_LIGHT = Uint8Array.from({ length: STEPS + 1 }, (_, step) => {
  const light = step / STEPS;
  return Math.round(255 * (light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055));
});

export function resizePixels(image, { width, height }) {
  if (width === image.width && height === image.height) return image;
  const columns = weigh(image.width, width);
  const rows = weigh(image.height, height);
  const pixels = new Uint8Array(width * height * 4);
  const sums = new Float32Array(image.width * 4);
  for (let y = 0; y < height; y += 1) {
    sumRows(image, rows[y], sums);
    for (let x = 0; x < width; x += 1) writePixel(sums, columns[x], pixels, (y * width + x) * 4);
  }
  return { width, height, pixels };
}

/** For each place of the result, the places it is made of and how much each counts; the weights of one add up to 1. */
function weigh(from, to) {
  const scale = from / to;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, index) => {
    const middle = (index + 0.5) * scale - 0.5;
    const first = Math.max(0, Math.ceil(middle - reach + 1e-9));
    const last = Math.min(from - 1, Math.floor(middle + reach - 1e-9));
    const weights = [];
    for (let at = first; at <= last; at += 1) weights.push(1 - Math.abs(at - middle) / reach);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => weight / total) };
  });
}

/** One row of light, weighed by alpha so that what is transparent gives no colour. */
function sumRows({ width, pixels }, { first, weights }, sums) {
  sums.fill(0);
  for (let index = 0; index < weights.length; index += 1) {
    const weight = weights[index];
    for (let x = 0, at = (first + index) * width * 4; x < width * 4; x += 4, at += 4) {
      const alpha = (pixels[at + 3] / 255) * weight;
      sums[x] += TO_LIGHT[pixels[at]] * alpha;
      sums[x + 1] += TO_LIGHT[pixels[at + 1]] * alpha;
      sums[x + 2] += TO_LIGHT[pixels[at + 2]] * alpha;
      sums[x + 3] += alpha;
    }
  }
}

function writePixel(sums, { first, weights }, pixels, at) {
  let [red, green, blue, alpha] = [0, 0, 0, 0];
  for (let index = 0; index < weights.length; index += 1) {
    const weight = weights[index];
    const from = (first + index) * 4;
    red += sums[from] * weight;
    green += sums[from + 1] * weight;
    blue += sums[from + 2] * weight;
    alpha += sums[from + 3] * weight;
  }
  if (alpha < 1 / 512) return;
  pixels[at] = toByte(red / alpha);
  pixels[at + 1] = toByte(green / alpha);
  pixels[at + 2] = toByte(blue / alpha);
  pixels[at + 3] = Math.min(255, Math.round(alpha * 255));
}

const toByte = (light) => FROM_LIGHT[Math.min(STEPS, Math.round(light * STEPS))];
