import { StringDecoder } from 'node:string_decoder';

/** Splits a stream into log lines, bounded in every direction. */
export interface LineLog {
  push(chunk: Buffer): void;
  /** The stream has ended: what stands without a line end is a line too. */
  end(): void;
  /** Bytes that were not logged, for the limit. */
  readonly droppedBytes: number;
  /** The end of the stream, at most `TAIL_CHARACTERS`. */
  tail(): string;
}

export interface LineLogOptions {
  readonly maxBytes: number;
  readonly log: (line: string) => void;
}

/** What an error shows of stderr. */
const TAIL_CHARACTERS = 2000;
/** A line that does not end is logged in pieces of this many characters. */
const MAX_LINE_CHARACTERS = 4000;

/** Follows stderr (kaizen.md, “Output”). Memory stays small however much comes and however long a line is. */
export function createLineLog({ maxBytes, log }: LineLogOptions): LineLog {
  const decoder = new StringDecoder('utf8');
  let open = '';
  let tail = '';
  let leftBytes = maxBytes;
  let dropped = 0;

  const write = (line: string): void => {
    const bytes = Buffer.byteLength(line) + 1;
    // Once a line did not fit, none does: a log with holes misleads.
    if (dropped > 0 || bytes > leftBytes) {
      dropped += bytes;
      return;
    }
    leftBytes -= bytes;
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (text !== '') log(text);
  };
  const take = (text: string): void => {
    tail = (tail + text.slice(-TAIL_CHARACTERS)).slice(-TAIL_CHARACTERS);
    if (dropped > 0) {
      dropped += Buffer.byteLength(text);
      return;
    }
    const lines = (open + text).split('\n');
    open = lines.pop() ?? '';
    for (const line of lines) cut(line).forEach(write);
    const pieces = cut(open);
    open = pieces.pop() ?? '';
    pieces.forEach(write);
  };

  return {
    push: (chunk) => take(decoder.write(chunk)),
    end() {
      take(decoder.end());
      if (open !== '') write(open);
      open = '';
    },
    get droppedBytes() {
      return dropped;
    },
    tail: () => Buffer.from(tail).toString('utf8').trim(),
  };
}

/** The pieces of a line, one at least. */
function cut(line: string): string[] {
  if (line.length <= MAX_LINE_CHARACTERS) return [line];
  return Array.from({ length: Math.ceil(line.length / MAX_LINE_CHARACTERS) }, (_, index) =>
    line.slice(index * MAX_LINE_CHARACTERS, (index + 1) * MAX_LINE_CHARACTERS),
  );
}
