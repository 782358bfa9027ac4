/**
 * A text to look for in UTF-8 bytes without regard to case, as Boyer, Moore and Horspool do it: most bytes are skipped,
 * which is what lets one call search megabytes within its fuel. Letters whose two cases take different numbers of
 * bytes (`ẞ`, `ſ`) match only as written.
 */
export class Pattern {
  /** The two cases, byte for byte of the same length. */
  private readonly lower: Uint8Array;
  private readonly upper: Uint8Array;
  /** For every byte, how far the window may move when its last byte is that one. */
  private readonly shifts: StaticArray<i32> = new StaticArray<i32>(256);

  constructor(text: string) {
    const lower: u8[] = [];
    const upper: u8[] = [];
    for (let i = 0; i < text.length; ) {
      const code = <i32>text.codePointAt(i);
      const char = String.fromCodePoint(code);
      i += char.length;
      const low = Uint8Array.wrap(String.UTF8.encode(char.toLowerCase(), false, String.UTF8.ErrorMode.REPLACE));
      const up = Uint8Array.wrap(String.UTF8.encode(char.toUpperCase(), false, String.UTF8.ErrorMode.REPLACE));
      const own = Uint8Array.wrap(String.UTF8.encode(char, false, String.UTF8.ErrorMode.REPLACE));
      const paired = low.length == up.length;
      pushAll(lower, paired ? low : own);
      pushAll(upper, paired ? up : own);
    }
    this.lower = toBytes(lower);
    this.upper = toBytes(upper);
    const length = lower.length;
    for (let i = 0; i < 256; i++) this.shifts[i] = length;
    for (let i = 0; i < length - 1; i++) {
      this.shifts[lower[i]] = length - 1 - i;
      this.shifts[upper[i]] = length - 1 - i;
    }
  }

  /** The length of a match in bytes. */
  get length(): i32 {
    return this.lower.length;
  }

  /** The first match at or behind `from`, or -1. */
  indexIn(bytes: Uint8Array, from: i32): i32 {
    const length = this.length;
    if (length == 0) return -1;
    const shifts = changetype<usize>(this.shifts);
    const last = length - 1;
    const lowLast = this.lower[last];
    const upLast = this.upper[last];
    const start = bytes.dataStart;
    const end = start + <usize>bytes.length;
    // `at` is where the last byte of the window lies. The inner loop is kept bare, for it decides what a search costs.
    let at = start + <usize>(from + last);
    while (at < end) {
      let byte = load<u8>(at);
      while (byte != lowLast && byte != upLast) {
        at += load<u32>(shifts + (<usize>byte << 2));
        if (at >= end) return -1;
        byte = load<u8>(at);
      }
      const first = at - <usize>last;
      if (this.matchesAt(first)) return <i32>(first - start);
      at += load<u32>(shifts + (<usize>byte << 2));
    }
    return -1;
  }

  /** Letter by letter, because single bytes of both cases could make up a third letter. */
  private matchesAt(address: usize): bool {
    const length = this.length;
    let at = 0;
    while (at < length) {
      let asLower = true;
      let asUpper = true;
      do {
        const byte = load<u8>(address + <usize>at);
        if (byte != this.lower[at]) asLower = false;
        if (byte != this.upper[at]) asUpper = false;
        if (!asLower && !asUpper) return false;
        at++;
      } while (at < length && (this.lower[at] & 0xc0) == 0x80);
    }
    return true;
  }
}

function pushAll(out: u8[], bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) out.push(bytes[i]);
}

function toBytes(values: u8[]): Uint8Array {
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = values[i];
  return bytes;
}
