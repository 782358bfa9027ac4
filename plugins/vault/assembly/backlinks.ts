import { Reply, fail, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { Pattern } from "./pattern";
import { listMatches, unreadableRemark } from "./query";
import { searchNotes } from "./search";
import { count, isPlainPath, missingVault, noteName } from "./vault";
import { walkVault } from "./walk";

/** The lines of other notes that link to one. */
export function backlinks(request: Request): Reply {
  const given = request.text("note").trim();
  const limit = request.integer("limit", 50, 1, 200);
  if (!isPlainPath(given)) request.report('Wrong argument "note": wanted a name as in [[name]] or a path below the root');
  if (request.problem) return fail(request.problem!);
  const missing = missingVault(request);
  if (missing) return fail(missing);

  const name = noteName(given);
  const walk = walkVault(request);
  const others: string[] = [];
  const paths = walk.all();
  for (let i = 0; i < paths.length; i++) if (noteName(paths[i]) != name) others.push(paths[i]);
  const found = searchNotes(request, others, new Pattern(name), limit, isLinkTarget);
  const tail = unreadableRemark(found) + walk.remark();
  if (found.matches.length == 0) return succeed(`Nothing links to [[${name}]] in ${count(found.searched, "note")}${tail}`);
  const more = found.cut ? "; there are more, raise limit" : "";
  return succeed(`${count(found.matches.length, "line")} linking to [[${name}]]${more}\n${listMatches(found)}${tail}`);
}

/** `[[name]]`, `[[name|text]]`, `[[name#part]]`, `[[folder/name]]`, `](name.md)` and `](folder/name.md#part)`. */
function isLinkTarget(bytes: Uint8Array, start: i32, end: i32): bool {
  const wiki = opensWith(bytes, start, 0x5b, 0x5b);
  const plain = !wiki && opensWith(bytes, start, 0x5d, 0x28);
  if (!wiki && !plain) return false;
  if (plain && !(byteAt(bytes, end) == 0x2e && byteAt(bytes, end + 1) == 0x6d && byteAt(bytes, end + 2) == 0x64)) return false;
  const after = byteAt(bytes, plain ? end + 3 : end);
  return after == 0x23 || (plain ? after == 0x29 : after == 0x5d || after == 0x7c);
}

/** Whether the two bytes stand before the name, or before the folders that lead to it. */
function opensWith(bytes: Uint8Array, start: i32, first: i32, second: i32): bool {
  let at = start - 1;
  if (byteAt(bytes, at) == 0x2f) {
    while (at >= 0 && at > start - 512 && !endsFolders(bytes[at])) at--;
  }
  return byteAt(bytes, at) == second && byteAt(bytes, at - 1) == first;
}

/** Brackets of either kind, and line breaks. */
function endsFolders(byte: u8): bool {
  return byte == 0x5b || byte == 0x5d || byte == 0x28 || byte == 0x29 || byte == 0x0a;
}

function byteAt(bytes: Uint8Array, at: i32): i32 {
  return at >= 0 && at < bytes.length ? <i32>bytes[at] : -1;
}
