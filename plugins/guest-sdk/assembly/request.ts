import { JsonValue } from "./json";

/**
 * One call: `action`, `root` and the command's arguments.
 * Getters never fail; the first argument that is missing or of the wrong kind is kept in `problem`, so that a command
 * reads all its arguments and then answers `fail(problem)`. Numbers and flags may come as text, as command lines send them.
 */
export class Request {
  readonly action: string;
  /** The absolute directory that file access is anchored to, without a trailing slash. */
  readonly root: string;
  /** One sentence, or null while all is well. */
  problem: string | null = null;

  constructor(private readonly body: JsonValue) {
    this.action = body.memberText("action");
    const root = body.memberText("root");
    this.root = root.length > 1 && root.endsWith("/") ? root.substring(0, root.length - 1) : root;
  }

  /** A text that must be there and hold more than white space. */
  text(name: string): string {
    const text = this.optionalText(name, "");
    if (text.trim().length == 0) this.report(`Missing argument "${name}": wanted a text that is not empty`);
    return text;
  }

  /** A text, or `fallback` when it is absent or null. */
  optionalText(name: string, fallback: string): string {
    const value = this.body.member(name);
    if (!value || value.isNull) return fallback;
    if (value.isText) return value.text;
    this.report(`Wrong argument "${name}": wanted a text`);
    return fallback;
  }

  /** A whole number from `lowest` to `highest`, or `fallback` when it is absent or null. */
  integer(name: string, fallback: i32, lowest: i32, highest: i32): i32 {
    const value = this.body.member(name);
    if (!value || value.isNull) return fallback;
    const number = value.isText ? parseDigits(value.text) : value.isNumber ? value.number : NaN;
    if (number >= <f64>lowest && number <= <f64>highest && Math.floor(number) == number) return <i32>number;
    this.report(`Wrong argument "${name}": wanted a whole number from ${lowest} to ${highest}`);
    return fallback;
  }

  /** True, false, or false when it is absent or null. */
  flag(name: string): bool {
    const value = this.body.member(name);
    if (!value || value.isNull) return false;
    if (value.isFlag) return value.flag;
    if (value.isText && (value.text == "true" || value.text == "false")) return value.text == "true";
    this.report(`Wrong argument "${name}": wanted true or false`);
    return false;
  }

  /** Keeps the first problem: later ones often follow from it. */
  report(problem: string): void {
    if (this.problem === null) this.problem = problem;
  }
}

function parseDigits(text: string): f64 {
  if (text.length == 0 || text.length > 10) return NaN;
  let value: f64 = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x30 || unit > 0x39) return NaN;
    value = value * 10 + <f64>(unit - 0x30);
  }
  return value;
}
