import { decodeText } from "./memory";

/** Reads one JSON string whose opening quote has been read. */
export class JsonStringReader {
  private out: Uint8Array | null = null;
  private outAt: i32 = 0;

  constructor(private readonly bytes: Uint8Array, public at: i32) {}

  /** The text, with `at` behind the closing quote; null for a control character, a bad escape or a missing quote. */
  read(): string | null {
    const bytes = this.bytes;
    let runStart = this.at;
    while (this.at < bytes.length) {
      const byte = bytes[this.at];
      if (byte < 0x20) return null;
      if (byte == 0x22) {
        const end = this.at++;
        if (!this.out) return decodeText(bytes, runStart, end);
        this.copyRun(runStart, end);
        return decodeText(this.out!, 0, this.outAt);
      }
      if (byte == 0x5c) {
        this.copyRun(runStart, this.at++);
        if (!this.readEscape()) return null;
        runStart = this.at;
        continue;
      }
      this.at++;
    }
    return null;
  }

  /** What an escape stands for is never longer in UTF-8 than the escape, so the rest of the input bounds the buffer. */
  private copyRun(start: i32, end: i32): void {
    if (!this.out) this.out = new Uint8Array(this.stringBound(start));
    memory.copy(this.out!.dataStart + <usize>this.outAt, this.bytes.dataStart + <usize>start, <usize>(end - start));
    this.outAt += end - start;
  }

  private stringBound(start: i32): i32 {
    const bytes = this.bytes;
    let at = start;
    while (at < bytes.length && bytes[at] != 0x22) at += bytes[at] == 0x5c ? 2 : 1;
    return min(at, bytes.length) - start;
  }

  private readEscape(): bool {
    if (this.at >= this.bytes.length) return false;
    const byte = this.bytes[this.at++];
    switch (<i32>byte) {
      case 0x22:
      case 0x5c:
      case 0x2f:
        this.putByte(byte);
        return true;
      case 0x62:
        this.putByte(0x08);
        return true;
      case 0x66:
        this.putByte(0x0c);
        return true;
      case 0x6e:
        this.putByte(0x0a);
        return true;
      case 0x72:
        this.putByte(0x0d);
        return true;
      case 0x74:
        this.putByte(0x09);
        return true;
      case 0x75:
        return this.readUnit();
      default:
        return false;
    }
  }

  /** `\uXXXX`, joined with a following low half where it is a high one; a lone half becomes U+FFFD. */
  private readUnit(): bool {
    const first = this.readHex();
    if (first < 0) return false;
    if (first < 0xd800 || first > 0xdfff) {
      this.putCodePoint(first);
      return true;
    }
    if (first <= 0xdbff && this.peekAt(0) == 0x5c && this.peekAt(1) == 0x75) {
      const before = this.at;
      this.at += 2;
      const second = this.readHex();
      if (second < 0) return false;
      if (second >= 0xdc00 && second <= 0xdfff) {
        this.putCodePoint(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        return true;
      }
      this.at = before;
    }
    this.putCodePoint(0xfffd);
    return true;
  }

  private readHex(): i32 {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      const digit = hexDigit(this.peekAt(0));
      if (digit < 0) return -1;
      value = (value << 4) | digit;
      this.at++;
    }
    return value;
  }

  private peekAt(offset: i32): i32 {
    const at = this.at + offset;
    return at < this.bytes.length ? <i32>this.bytes[at] : -1;
  }

  private putCodePoint(code: i32): void {
    if (code < 0x80) {
      this.putByte(<u8>code);
      return;
    }
    if (code < 0x800) {
      this.putByte(<u8>(0xc0 | (code >> 6)));
    } else {
      if (code < 0x10000) {
        this.putByte(<u8>(0xe0 | (code >> 12)));
      } else {
        this.putByte(<u8>(0xf0 | (code >> 18)));
        this.putByte(<u8>(0x80 | ((code >> 12) & 0x3f)));
      }
      this.putByte(<u8>(0x80 | ((code >> 6) & 0x3f)));
    }
    this.putByte(<u8>(0x80 | (code & 0x3f)));
  }

  private putByte(byte: u8): void {
    this.out![this.outAt++] = byte;
  }
}

function hexDigit(byte: i32): i32 {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
