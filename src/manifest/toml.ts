import TOML from '@iarna/toml';

import type { KeyPath } from './problem.ts';
import { createLineFinder } from './toml-lines.ts';

/** A TOML document, or the sentence about why it is none. Integers past 2^53 are bigints, dates are Dates. */
export type TomlReading =
  | { readonly ok: true; readonly table: Readonly<Record<string, unknown>>; readonly lineOf: (path: KeyPath) => number | undefined }
  | { readonly ok: false; readonly line?: number; readonly message: string };

/** Reads the bytes of a TOML file: UTF-8 only, a byte order mark is passed over. Never throws. */
export function readToml(bytes: Uint8Array): TomlReading {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { ok: false, message: 'is not UTF-8: wanted TOML text in UTF-8' };
  }
  try {
    return { ok: true, table: TOML.parse(text), lineOf: createLineFinder(text) };
  } catch (error) {
    return { ok: false, ...syntaxProblem(error) };
  }
}

/** The parser's message has the position and an excerpt of the file behind its first sentence; only that is kept. */
function syntaxProblem(error: unknown): { readonly line?: number; readonly message: string } {
  const message = error instanceof Error ? error.message : String(error);
  const sentence = (message.split('\n')[0] ?? '').replace(/ at row \d+, col \d+, pos \d+:$/, '').replace(/\.$/, '');
  const wanted = `cannot be read: ${sentence.slice(0, 200)}`;
  if (typeof error !== 'object' || error === null || !('line' in error) || typeof error.line !== 'number') return { message: wanted };
  const column = 'col' in error && typeof error.col === 'number' ? ` at column ${error.col + 1}` : '';
  return { line: error.line + 1, message: `cannot be read${column}: ${sentence.slice(0, 200)}` };
}
