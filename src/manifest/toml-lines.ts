import type { KeyPath } from './problem.ts';

/*
 * What is kept of a hostile document: paths as deep as any of ours, keys as long, and so many of them. Whatever is past
 * that has the line of what holds it.
 */
const MAX_DEPTH = 16;
const MAX_KEY_CHARACTERS = 64;
const MAX_LINES = 10_000;

/**
 * The lines of a TOML document's keys and list members, for messages about values that parse but are wrong. Never
 * throws: in text that is not TOML, lines are missing or those of what surrounds them.
 * Returns the line, counted from 1, of the key, or of the nearest table or list around it.
 */
export function createLineFinder(text: string): (path: KeyPath) => number | undefined {
  let lines: ReadonlyMap<string, number> | undefined;
  return (path) => {
    // Most manifests have nothing wrong, so the second scan waits for the first question.
    lines ??= scanLines(text);
    for (let length = path.length; length > 0; length--) {
      const line = lines.get(idOf(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return undefined;
  };
}

const idOf = (path: KeyPath): string => JSON.stringify(path);

function scanLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const lastIndex = new Map<string, number>();
  let at = 0;
  let line = 1;
  let table: KeyPath = [];

  const note = (path: KeyPath): void => {
    if (path.length > MAX_DEPTH || lines.size >= MAX_LINES) return;
    const id = idOf(path);
    if (!lines.has(id)) lines.set(id, line);
  };
  const advance = (count: number): void => {
    for (const end = Math.min(at + count, text.length); at < end; at++) if (text[at] === '\n') line++;
  };
  const skipBlank = (): void => {
    while (text[at] === ' ' || text[at] === '\t') at++;
  };
  const skipToLineEnd = (): void => {
    while (at < text.length && text[at] !== '\n') at++;
  };
  const skipBlankLines = (): void => {
    for (;;) {
      skipBlank();
      if (text[at] === '#') skipToLineEnd();
      if (text[at] !== '\n' && text[at] !== '\r') return;
      advance(1);
    }
  };
  const readQuoted = (): string => {
    const mark = text[at] ?? '';
    const long = text.startsWith(mark.repeat(3), at) ? mark.repeat(3) : mark;
    const start = at + long.length;
    let end = start;
    while (end < text.length && !text.startsWith(long, end)) {
      if (long.length === 1 && text[end] === '\n') break;
      end += mark === '"' && text[end] === '\\' ? 2 : 1;
    }
    // A long string may end in one or two more of its own quotes.
    if (long.length === 3) while (text[end + 3] === mark) end++;
    advance(end + long.length - at);
    return unescape(text.slice(start, end), mark);
  };
  const readKey = (): string[] => {
    const key: string[] = [];
    const keep = (part: string): void => {
      if (key.length < MAX_DEPTH) key.push(part.slice(0, MAX_KEY_CHARACTERS));
    };
    for (;;) {
      skipBlank();
      if (text[at] === '"' || text[at] === "'") keep(readQuoted());
      else {
        const bare = /[A-Za-z0-9_-]+/y;
        bare.lastIndex = at;
        const found = bare.exec(text)?.[0];
        if (found === undefined) return key;
        keep(found);
        at += found.length;
      }
      skipBlank();
      if (text[at] !== '.') return key;
      at++;
    }
  };
  const inCurrentTables = (key: readonly string[]): KeyPath => {
    let path: KeyPath = [];
    for (const part of key) {
      path = [...path, part];
      const index = lastIndex.get(idOf(path));
      if (index !== undefined) path = [...path, index];
    }
    return path;
  };
  const noteKey = (base: KeyPath, key: readonly string[]): KeyPath => {
    for (let length = 1; length <= key.length; length++) note([...base, ...key.slice(0, length)]);
    return [...base, ...key];
  };
  const readHeader = (): void => {
    const list = text.startsWith('[[', at);
    at += list ? 2 : 1;
    const key = readKey();
    if (list && key.length > 0) {
      const path = [...inCurrentTables(key.slice(0, -1)), key.at(-1) ?? ''];
      const index = (lastIndex.get(idOf(path)) ?? -1) + 1;
      lastIndex.set(idOf(path), index);
      note(path);
      table = [...path, index];
    } else table = inCurrentTables(key);
    note(table);
  };
  const readValue = (path: KeyPath, depth: number): void => {
    skipBlank();
    const first = text[at];
    if (first === '"' || first === "'") readQuoted();
    else if ((first === '[' || first === '{') && depth < MAX_DEPTH && path.length <= MAX_DEPTH) readMembers(path, depth);
    else while (at < text.length && !/[,\]}\n#]/.test(text[at] ?? '')) at++;
  };
  const readMembers = (path: KeyPath, depth: number): void => {
    const list = text[at] === '[';
    at++;
    for (let index = 0; ; index++) {
      skipBlankLines();
      const start = at;
      if (at >= text.length || text[at] === (list ? ']' : '}')) break;
      let member: KeyPath = [...path, index];
      if (list) note(member);
      else {
        member = noteKey(path, readKey());
        if (text[at] === '=') at++;
      }
      readValue(member, depth + 1);
      skipBlankLines();
      if (text[at] === ',') at++;
      // Text that is no TOML could hold this loop in place.
      else if (at === start) return;
    }
    at++;
  };

  while (at < text.length) {
    skipBlankLines();
    if (text[at] === '[') readHeader();
    else {
      const key = readKey();
      if (key.length > 0 && text[at] === '=') {
        const path = noteKey(table, key);
        at++;
        readValue(path, 0);
      }
    }
    skipToLineEnd();
  }
  return lines;
}

/** A quoted key's text. Escapes that JSON does not share with TOML stay as written: no such key is one of ours. */
function unescape(raw: string, mark: string): string {
  if (mark === "'" || !raw.includes('\\')) return raw;
  try {
    const parsed: unknown = JSON.parse(`"${raw}"`);
    return typeof parsed === 'string' ? parsed : raw;
  } catch {
    return raw;
  }
}
