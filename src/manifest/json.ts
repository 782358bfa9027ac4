import { findNodeAtLocation, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';

import type { KeyPath } from './problem.ts';

/** A JSON document, or the sentence about why it is none. */
export type JsonDocument =
  | { readonly ok: true; readonly value: unknown; readonly lineOf: (path: KeyPath) => number | undefined }
  | { readonly ok: false; readonly line?: number; readonly message: string };

/** Reads the bytes of a JSON file: UTF-8 only, a byte order mark is passed over, no comments. Never throws. */
export function readJson(bytes: Uint8Array): JsonDocument {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { ok: false, message: 'is not UTF-8: wanted JSON text in UTF-8' };
  }
  try {
    return { ok: true, value: JSON.parse(text), lineOf: createLineFinder(text) };
  } catch {
    return { ok: false, ...findSyntaxProblem(text) };
  }
}

/** The parser of JSON itself says what is wrong in words that hold parts of the file; this one says where. */
function findSyntaxProblem(text: string): { readonly line?: number; readonly message: string } {
  const errors: ParseError[] = [];
  tryParseTree(text, errors);
  const [first] = errors;
  if (first === undefined) return { message: 'cannot be read: wanted one JSON value' };
  const words = printParseErrorCode(first.error)
    .replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .trim();
  const column = first.offset - text.lastIndexOf('\n', first.offset - 1);
  return { line: lineAt(text, first.offset), message: `cannot be read at column ${column}: ${words}` };
}

/** The line, counted from 1, of the member, or of the nearest one around it. */
function createLineFinder(text: string): (path: KeyPath) => number | undefined {
  let root: Node | undefined;
  return (path) => {
    // Most manifests have nothing wrong, so the second parse waits for the first question.
    root ??= tryParseTree(text);
    if (root === undefined) return undefined;
    for (let length = path.length; length > 0; length--) {
      const node = findNodeAtLocation(root, path.slice(0, length));
      if (node !== undefined) return lineAt(text, node.parent?.type === 'property' ? node.parent.offset : node.offset);
    }
    return undefined;
  };
}

/** It calls itself for every level, so a deep document is one without lines. */
function tryParseTree(text: string, errors: ParseError[] = []): Node | undefined {
  try {
    return parseTree(text, errors, { disallowComments: true });
  } catch {
    return undefined;
  }
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
