import { JsonKind, JsonValue } from "./json";
import { readNumber } from "./json-number";
import { JsonStringReader } from "./json-string";
import { decodeText } from "./memory";

/** Deeper values are refused: the parser recurses, and the stack of a guest is small. */
const MAX_DEPTH = 64;

/** One pass over UTF-8 bytes; every method returns null at the first violation. */
export class JsonParser {
  private at: i32 = 0;

  constructor(private readonly bytes: Uint8Array) {}

  parse(): JsonValue | null {
    const value = this.parseValue(0);
    if (!value) return null;
    this.skipSpace();
    return this.at == this.bytes.length ? value : null;
  }

  private parseValue(depth: i32): JsonValue | null {
    this.skipSpace();
    switch (this.peek()) {
      case 0x7b:
        return depth < MAX_DEPTH ? this.parseObject(depth + 1) : null;
      case 0x5b:
        return depth < MAX_DEPTH ? this.parseList(depth + 1) : null;
      case 0x22:
        return this.parseText();
      case 0x74:
        return this.parseFlag("true", true);
      case 0x66:
        return this.parseFlag("false", false);
      case 0x6e:
        return this.takeWord("null") ? new JsonValue(JsonKind.Null) : null;
      default:
        return this.parseNumber();
    }
  }

  private parseObject(depth: i32): JsonValue | null {
    const members = new Map<string, JsonValue>();
    const object = new JsonValue(JsonKind.Object);
    object.members = members;
    this.at++;
    this.skipSpace();
    if (this.take(0x7d)) return object;
    while (true) {
      this.skipSpace();
      if (this.peek() != 0x22) return null;
      const name = this.parseText();
      if (!name || members.has(name.text)) return null;
      this.skipSpace();
      if (!this.take(0x3a)) return null;
      const value = this.parseValue(depth);
      if (!value) return null;
      members.set(name.text, value);
      this.skipSpace();
      if (this.take(0x7d)) return object;
      if (!this.take(0x2c)) return null;
    }
  }

  private parseList(depth: i32): JsonValue | null {
    const items: JsonValue[] = [];
    const list = new JsonValue(JsonKind.List);
    list.items = items;
    this.at++;
    this.skipSpace();
    if (this.take(0x5d)) return list;
    while (true) {
      const item = this.parseValue(depth);
      if (!item) return null;
      items.push(item);
      this.skipSpace();
      if (this.take(0x5d)) return list;
      if (!this.take(0x2c)) return null;
    }
  }

  private parseText(): JsonValue | null {
    const bytes = this.bytes;
    const start = this.at + 1;
    const end = skipPlain(bytes, start);
    if (end < bytes.length && bytes[end] == 0x22) {
      this.at = end + 1;
      const plain = new JsonValue(JsonKind.Text);
      plain.text = decodeText(bytes, start, end);
      return plain;
    }
    const reader = new JsonStringReader(this.bytes, this.at + 1);
    const text = reader.read();
    if (text === null) return null;
    this.at = reader.at;
    const value = new JsonValue(JsonKind.Text);
    value.text = text;
    return value;
  }

  private parseFlag(word: string, flag: bool): JsonValue | null {
    if (!this.takeWord(word)) return null;
    const value = new JsonValue(JsonKind.Flag);
    value.flag = flag;
    return value;
  }

  private parseNumber(): JsonValue | null {
    const start = this.at;
    this.take(0x2d);
    const leadsWithZero = this.peek() == 0x30;
    const digits = this.takeDigits();
    if (digits == 0 || (leadsWithZero && digits > 1)) return null;
    if (this.take(0x2e) && this.takeDigits() == 0) return null;
    if (this.take(0x65) || this.take(0x45)) {
      if (!this.take(0x2b)) this.take(0x2d);
      if (this.takeDigits() == 0) return null;
    }
    const value = new JsonValue(JsonKind.Number);
    value.number = readNumber(this.bytes, start, this.at);
    value.text = decodeText(this.bytes, start, this.at);
    return value;
  }

  private takeDigits(): i32 {
    const start = this.at;
    while (this.peek() >= 0x30 && this.peek() <= 0x39) this.at++;
    return this.at - start;
  }

  private takeWord(word: string): bool {
    for (let i = 0; i < word.length; i++) if (!this.take(word.charCodeAt(i))) return false;
    return true;
  }

  private take(byte: i32): bool {
    if (this.peek() != byte) return false;
    this.at++;
    return true;
  }

  private skipSpace(): void {
    while (true) {
      const byte = this.peek();
      if (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09) return;
      this.at++;
    }
  }

  private peek(): i32 {
    return this.at < this.bytes.length ? <i32>this.bytes[this.at] : -1;
  }
}

/** The place of the first byte that ends a string or means something in it. */
function skipPlain(bytes: Uint8Array, start: i32): i32 {
  const base = bytes.dataStart;
  const length = bytes.length;
  let at = start;
  while (at < length) {
    const byte = load<u8>(base + <usize>at);
    if (byte == 0x22 || byte == 0x5c || byte < 0x20) break;
    at++;
  }
  return at;
}
