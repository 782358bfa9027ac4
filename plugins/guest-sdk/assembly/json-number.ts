/** The most digits that a 64-bit mantissa surely holds. */
const MAX_DIGITS = 19;
/** The largest power of ten that a float holds exactly. */
const MAX_EXACT_POWER = 22;

/**
 * The value of a JSON number whose grammar has been checked. Exact up to 15 digits with a power of ten up to 22, so for
 * all that people write; beyond that within a few units of the last place. The standard library's `parseFloat` is
 * wrong by a factor of ten for some numbers of 17 digits.
 */
export function readNumber(bytes: Uint8Array, start: i32, end: i32): f64 {
  const negative = bytes[start] == 0x2d;
  let at = negative ? start + 1 : start;
  let mantissa: u64 = 0;
  let digits = 0;
  let power = 0;
  let afterPoint = false;
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte == 0x2e) {
      afterPoint = true;
      continue;
    }
    if (byte < 0x30 || byte > 0x39) break;
    if (digits < MAX_DIGITS) {
      mantissa = mantissa * 10 + (byte - 0x30);
      if (mantissa != 0) digits++;
      if (afterPoint) power--;
    } else if (!afterPoint) {
      power++;
    }
  }
  if (at < end) power += readExponent(bytes, at + 1, end);
  const value = scale(<f64>mantissa, power);
  return negative ? -value : value;
}

function readExponent(bytes: Uint8Array, start: i32, end: i32): i32 {
  const signed = bytes[start] == 0x2d || bytes[start] == 0x2b;
  let value = 0;
  for (let at = signed ? start + 1 : start; at < end; at++) {
    // Far beyond the range of a float, and far from overflowing an integer.
    if (value < 100000) value = value * 10 + (bytes[at] - 0x30);
  }
  return bytes[start] == 0x2d ? -value : value;
}

function scale(value: f64, power: i32): f64 {
  while (power > 0 && value != 0 && value != Infinity) {
    const step = min(power, MAX_EXACT_POWER);
    value *= powerOfTen(step);
    power -= step;
  }
  while (power < 0 && value != 0) {
    const step = min(-power, MAX_EXACT_POWER);
    value /= powerOfTen(step);
    power += step;
  }
  return value;
}

function powerOfTen(power: i32): f64 {
  let value: f64 = 1;
  for (let i = 0; i < power; i++) value *= 10;
  return value;
}
