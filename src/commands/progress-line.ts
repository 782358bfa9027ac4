import { printable } from './output.ts';

/** What a person sees of work that goes on: one line on a terminal that is written over, else a line for each step. */
export interface ProgressLine {
  show(text: string): void;
  /** Takes the line away, before anything else is written. */
  clear(): void;
}

/** The part of a stream that this needs. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const DEFAULT_COLUMNS = 80;
/** Back to the first column, and everything from there erased (ECMA-48, EL). */
const ERASE_LINE = '\r\u001b[K';

/** Progress on a stream, stderr as a rule. On a terminal `CI` and `TERM=dumb` make it plain. */
export function createProgressLine(stream: ProgressStream, environment: Readonly<Record<string, string | undefined>>): ProgressLine {
  const overwrites = stream.isTTY === true && !environment['CI'] && environment['TERM'] !== 'dumb';
  let isShown = false;
  return {
    show(text) {
      const line = printable(text)
        .trim()
        .replaceAll(/[\n\t]/g, ' ');
      if (!overwrites) {
        stream.write(`${line}\n`);
        return;
      }
      isShown = true;
      stream.write(`${ERASE_LINE}${line.slice(0, (stream.columns ?? DEFAULT_COLUMNS) - 1)}`);
    },
    clear() {
      if (isShown) stream.write(ERASE_LINE);
      isShown = false;
    },
  };
}
