import { quoteJson } from "../../guest-sdk/assembly/json";
import { Reply, fail, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { Pattern } from "./pattern";
import { Found, searchNotes } from "./search";
import { count, missingVault } from "./vault";
import { Walk, walkVault } from "./walk";

const MAX_TERM_UNITS = 200;

/** Full-text search without regard to case. */
export function query(request: Request): Reply {
  const term = request.text("term").trim();
  const limit = request.integer("limit", 20, 1, 200);
  const json = request.flag("json");
  if (term.length > MAX_TERM_UNITS || term.includes("\n")) {
    request.report(`Wrong argument "term": wanted one line of at most ${MAX_TERM_UNITS} characters`);
  }
  if (request.problem) return fail(request.problem!);
  const missing = missingVault(request);
  if (missing) return fail(missing);

  const walk = walkVault(request);
  const found = searchNotes(request, walk.all(), new Pattern(term), limit, anyMatch);
  return succeed(json ? toJson(term, walk, found) : toMarkdown(term, walk, found));
}

function anyMatch(bytes: Uint8Array, start: i32, end: i32): bool {
  return true;
}

function toMarkdown(term: string, walk: Walk, found: Found): string {
  const unreadable = unreadableRemark(found);
  if (found.matches.length == 0) return `No match for "${term}" in ${count(found.searched, "note")}${unreadable}${walk.remark()}`;
  const more = found.cut ? "; there are more, raise limit or narrow the term" : ` in ${count(found.searched, "note")}`;
  return `${count(found.matches.length, "match")} for "${term}"${more}\n${listMatches(found)}${unreadable}${walk.remark()}`;
}

/** Matches grouped under the path of their note. */
export function listMatches(found: Found): string {
  const lines: string[] = [];
  let path = "";
  for (let i = 0; i < found.matches.length; i++) {
    const match = found.matches[i];
    if (match.path != path) {
      path = match.path;
      lines.push(`\n### ${path}\n`);
    }
    lines.push(`- line ${match.line}: ${match.text}`);
  }
  return lines.join("\n");
}

/** One sentence about notes that could not be read, or nothing. */
export function unreadableRemark(found: Found): string {
  const paths = found.unreadable;
  if (paths.length == 0) return "";
  const shown = paths.slice(0, 5).join(", ");
  const rest = paths.length > 5 ? ` and ${paths.length - 5} more` : "";
  return `\n\nNot searched, because not readable as UTF-8 text or larger than 16 MiB: ${shown}${rest}`;
}

function toJson(term: string, walk: Walk, found: Found): string {
  const matches: string[] = [];
  for (let i = 0; i < found.matches.length; i++) {
    const match = found.matches[i];
    matches.push(`{"path":${quoteJson(match.path)},"line":${match.line},"text":${quoteJson(match.text)}}`);
  }
  const unreadable: string[] = [];
  for (let i = 0; i < found.unreadable.length; i++) unreadable.push(quoteJson(found.unreadable[i]));
  const cut = found.cut || walk.cut;
  return (
    `{"term":${quoteJson(term)},"searched":${found.searched},"truncated":${cut},` +
    `"unreadable":[${unreadable.join(",")}],"matches":[${matches.join(",")}]}`
  );
}
