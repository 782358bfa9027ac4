export interface LineReaderOptions {
  readonly maxLineBytes: number;
  onLine(line: string): void;
  /** Called once for each line that is too long; the rest of it is skipped unread. */
  onTooLong(): void;
}

export interface LineReader {
  push(chunk: Buffer): void;
}

/** Splits bytes into lines of UTF-8 text without their ends (`\n` or `\r\n`), holding at most `maxLineBytes`. */
export function createLineReader(options: LineReaderOptions): LineReader {
  const { maxLineBytes } = options;
  let parts: Buffer[] = [];
  let bytes = 0;
  let skipping = false;

  function take(part: Buffer): void {
    if (skipping || part.length === 0) return;
    bytes += part.length;
    if (bytes <= maxLineBytes) {
      parts.push(part);
      return;
    }
    skipping = true;
    parts = [];
    options.onTooLong();
  }

  function endLine(): void {
    const [first] = parts;
    const whole = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
    const wanted = !skipping;
    parts = [];
    bytes = 0;
    skipping = false;
    if (wanted) options.onLine(whole.toString('utf8', 0, whole.at(-1) === 0x0d ? whole.length - 1 : whole.length));
  }

  return {
    push(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
        take(chunk.subarray(start, end));
        endLine();
        start = end + 1;
      }
      take(chunk.subarray(start));
    },
  };
}
