import { readBytes } from "../../guest-sdk/assembly/az";
import { decodeText } from "../../guest-sdk/assembly/memory";
import { Request } from "../../guest-sdk/assembly/request";
import { Pattern } from "./pattern";
import { absolute } from "./vault";

const MAX_LINE_UNITS = 240;

/** One line of a note that holds a match. */
export class Match {
  constructor(readonly path: string, readonly line: i32, readonly text: string) {}
}

/** What a search over notes found. */
export class Found {
  matches: Match[] = [];
  searched: i32 = 0;
  unreadable: string[] = [];
  /** Whether it stopped at the limit with notes or lines left to look at. */
  cut: bool = false;
}

/** Says whether the bytes from `start` to `end`, which match, are what is looked for. */
export type Accept = (bytes: Uint8Array, start: i32, end: i32) => bool;

/** Looks for a pattern in notes, in their order, until `limit` lines are found; a line counts once. */
export function searchNotes(request: Request, paths: string[], pattern: Pattern, limit: i32, accept: Accept): Found {
  const found = new Found();
  for (let i = 0; i < paths.length; i++) {
    if (found.cut) break;
    const bytes = readBytes(absolute(request, paths[i]));
    if (!bytes) {
      found.unreadable.push(paths[i]);
      continue;
    }
    found.searched++;
    searchNote(found, paths[i], bytes, pattern, limit, accept);
  }
  return found;
}

function searchNote(found: Found, path: string, bytes: Uint8Array, pattern: Pattern, limit: i32, accept: Accept): void {
  let line = 1;
  let counted = 0;
  let at = pattern.indexIn(bytes, 0);
  while (at >= 0) {
    if (!accept(bytes, at, at + pattern.length)) {
      at = pattern.indexIn(bytes, at + 1);
      continue;
    }
    if (found.matches.length >= limit) {
      found.cut = true;
      return;
    }
    line += countLines(bytes, counted, at);
    counted = at;
    const end = lineEnd(bytes, at);
    found.matches.push(new Match(path, line, excerpt(bytes, at, end)));
    at = pattern.indexIn(bytes, end);
  }
}

/** The line around a match, cut on the left when the match lies far inside it, and on the right. */
function excerpt(bytes: Uint8Array, at: i32, end: i32): string {
  let start = at;
  while (start > 0 && bytes[start - 1] != 0x0a) start--;
  const farStart = at - MAX_LINE_UNITS / 2;
  const cutLeft = start < farStart;
  if (cutLeft) {
    start = farStart;
    while ((bytes[start] & 0xc0) == 0x80) start++;
  }
  const line = decodeText(bytes, start, min(end, start + MAX_LINE_UNITS * 4)).trim();
  const short = line.length > MAX_LINE_UNITS ? wholePairs(line.substring(0, MAX_LINE_UNITS)) + "…" : line;
  return cutLeft ? "…" + short : short;
}

function countLines(bytes: Uint8Array, start: i32, end: i32): i32 {
  const base = bytes.dataStart;
  let lines = 0;
  for (let at = start; at < end; at++) if (load<u8>(base + <usize>at) == 0x0a) lines++;
  return lines;
}

function lineEnd(bytes: Uint8Array, at: i32): i32 {
  let end = at;
  while (end < bytes.length && bytes[end] != 0x0a) end++;
  return end;
}

/** Drops a high surrogate that a cut left alone at the end. */
function wholePairs(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.substring(0, text.length - 1) : text;
}
