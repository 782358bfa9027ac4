import { readFile } from "../../guest-sdk/assembly/az";
import { Reply, fail, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { isDay } from "./day";
import { absolute, count, missingVault, noteName } from "./vault";
import { walkVault } from "./walk";

const MAX_UNITS_PER_NOTE = 10000;

/** The last daily notes, newest first, without their front matter. */
export function recent(request: Request): Reply {
  const limit = request.integer("limit", 7, 1, 31);
  if (request.problem) return fail(request.problem!);
  const missing = missingVault(request);
  if (missing) return fail(missing);

  const walk = walkVault(request);
  const parts: string[] = [];
  for (let i = 0; i < walk.daily.length && parts.length < limit; i++) {
    const path = walk.daily[i];
    if (!isDay(noteName(path))) continue;
    const text = readFile(absolute(request, path));
    parts.push(text === null ? `(${path} can't be read)` : shorten(path, withoutFrontMatter(text)));
  }
  if (parts.length == 0) return succeed("There is no daily note yet; capture makes the first");
  return succeed(`${count(parts.length, "daily note")}, newest first\n\n${parts.join("\n\n")}${walk.remark()}`);
}

function withoutFrontMatter(text: string): string {
  const end = text.startsWith("---\n") ? text.indexOf("\n---\n", 3) : -1;
  return (end < 0 ? text : text.substring(end + 5)).trim();
}

function shorten(path: string, text: string): string {
  if (text.length <= MAX_UNITS_PER_NOTE) return text;
  return `${text.substring(0, MAX_UNITS_PER_NOTE)}\n… ${text.length - MAX_UNITS_PER_NOTE} more characters, read ${path}`;
}
