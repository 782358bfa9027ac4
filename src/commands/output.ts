import { styleText } from 'node:util';

/** Where results go: stdout, and nothing else goes there. */
export interface Output {
  write(text: string): void;
  /** A line on stderr. */
  note(text: string): void;
  readonly isTerminal: boolean;
}

/** The process’s own streams. A reader that has had enough, such as `head`, is no error. */
export const createProcessOutput = (): Output => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return processOutput;
};

const processOutput: Output = {
  write: (text) => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`),
  note: (text) => void process.stderr.write(`${text}\n`),
  isTerminal: process.stdout.isTTY,
};

export const writeJson = (output: Output, value: unknown): void => output.write(JSON.stringify(value, undefined, 2));

/** Bold on a terminal that wants colour; `NO_COLOR` is honoured (https://no-color.org). */
export const bold = (text: string, output: Output): string =>
  output.isTerminal && !process.env['NO_COLOR'] ? styleText('bold', text) : text;

/**
 * Control characters of plugins must not reach a terminal, where they move the cursor or hide text;
 * bidirectional ones go too.
 */
export const printable = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are what this removes
  text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '�');

/** Columns as wide as their widest cell, the last one as it is. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
