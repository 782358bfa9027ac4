import { JsonParser } from "./json-parser";

export enum JsonKind {
  Null,
  Flag,
  Number,
  Text,
  List,
  Object,
}

/** A parsed JSON value: ask for its kind, then read the field of that kind. */
export class JsonValue {
  flag: bool = false;
  number: f64 = 0;
  /** A text, or a number as it was written: identifiers may have more digits than a float. */
  text: string = "";
  items: JsonValue[] | null = null;
  members: Map<string, JsonValue> | null = null;

  constructor(readonly kind: JsonKind) {}

  get isNull(): bool {
    return this.kind == JsonKind.Null;
  }
  get isFlag(): bool {
    return this.kind == JsonKind.Flag;
  }
  get isNumber(): bool {
    return this.kind == JsonKind.Number;
  }
  get isText(): bool {
    return this.kind == JsonKind.Text;
  }
  get isList(): bool {
    return this.kind == JsonKind.List;
  }
  get isObject(): bool {
    return this.kind == JsonKind.Object;
  }

  /** A member of an object; null when this is no object or has no such member. */
  member(name: string): JsonValue | null {
    const members = this.members;
    return members && members.has(name) ? members.get(name) : null;
  }

  /** A member that is a text; empty for everything else. */
  memberText(name: string): string {
    const value = this.member(name);
    return value && value.isText ? value.text : "";
  }

  /** The items of a list member; none for everything else. */
  memberItems(name: string): JsonValue[] {
    const value = this.member(name);
    const items = value ? value.items : null;
    return items ? items : [];
  }

  /** The texts of a list, leaving out what is no text. */
  texts(): string[] {
    const texts: string[] = [];
    const items = this.items;
    if (!items) return texts;
    for (let i = 0; i < items.length; i++) if (items[i].isText) texts.push(items[i].text);
    return texts;
  }
}

/** Parses RFC 8259 JSON, strictly: duplicate names, trailing text and more than 64 levels give null too. */
export function parseJson(bytes: Uint8Array): JsonValue | null {
  return new JsonParser(bytes).parse();
}

/** A text as a JSON string, quotes included. */
export function quoteJson(text: string): string {
  const from = changetype<usize>(text);
  const length = text.length;
  let units = 2 + length;
  for (let i = skipPlain(from, 0, length); i < length; i = skipPlain(from, i + 1, length)) {
    units += shortEscape(text.charCodeAt(i)) == 0 ? 5 : 1;
  }
  const out = __new(<usize>units << 1, idof<String>());
  let to = putUnit(out, CharCode.QUOTE);
  let start = 0;
  while (true) {
    const end = skipPlain(from, start, length);
    const runBytes = <usize>(end - start) << 1;
    memory.copy(to, from + (<usize>start << 1), runBytes);
    to += runBytes;
    if (end == length) break;
    to = putEscape(to, text.charCodeAt(end));
    start = end + 1;
  }
  putUnit(to, CharCode.QUOTE);
  return changetype<string>(out);
}

/** The place of the first unit at or behind `start` that needs an escape. */
function skipPlain(from: usize, start: i32, length: i32): i32 {
  let at = start;
  while (at < length) {
    const unit = load<u16>(from + (<usize>at << 1));
    if (unit < 0x20 || unit == CharCode.QUOTE || unit == CharCode.BACKSLASH) break;
    at++;
  }
  return at;
}

function putEscape(to: usize, unit: i32): usize {
  const short = shortEscape(unit);
  to = putUnit(to, CharCode.BACKSLASH);
  if (short != 0) return putUnit(to, short);
  to = putUnit(to, CharCode.LOWER_U);
  for (let shift = 12; shift >= 0; shift -= 4) to = putUnit(to, "0123456789abcdef".charCodeAt((unit >> shift) & 15));
  return to;
}

const enum CharCode {
  QUOTE = 0x22,
  BACKSLASH = 0x5c,
  LOWER_U = 0x75,
}

function putUnit(at: usize, unit: i32): usize {
  store<u16>(at, <u16>unit);
  return at + 2;
}

/** The letter of a two-unit escape, or 0 for units that take `\\u` and four digits. */
function shortEscape(unit: i32): i32 {
  switch (unit) {
    case CharCode.QUOTE:
    case CharCode.BACKSLASH:
      return unit;
    case 0x08:
      return 0x62;
    case 0x09:
      return 0x74;
    case 0x0a:
      return 0x6e;
    case 0x0c:
      return 0x66;
    case 0x0d:
      return 0x72;
    default:
      return 0;
  }
}
