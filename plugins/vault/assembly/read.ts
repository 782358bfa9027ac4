import { readFile } from "../../guest-sdk/assembly/az";
import { Reply, fail, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { WIKI, absolute, isPlainPath, missingVault, noteName } from "./vault";
import { walkVault } from "./walk";

/** Shows a note, found by its path or by its name. */
export function read(request: Request): Reply {
  const given = request.text("path").trim();
  if (!isPlainPath(given)) {
    request.report(`Wrong argument "path": "${given}" is neither a path below the root nor a name as in [[name]]`);
  }
  if (request.problem) return fail(request.problem!);
  const missing = missingVault(request);
  if (missing) return fail(missing);

  const file = given.endsWith(".md") ? given : given + ".md";
  const candidates = file.startsWith(WIKI + "/") ? [file] : [`${WIKI}/${file}`];
  if (!file.includes("/")) findByName(request, noteName(file), candidates);
  for (let i = 0; i < candidates.length; i++) {
    const text = readFile(absolute(request, candidates[i]));
    if (text !== null) return succeed(`From ${candidates[i]}:\n\n${text}`);
  }
  return fail(`Cannot read "${given}": the vault has no such note that can be read, call query to find it`);
}

/** Adds the notes of that name, whatever folder they are in and whatever the case of their letters. */
function findByName(request: Request, name: string, candidates: string[]): void {
  const wanted = name.toLowerCase();
  const paths = walkVault(request).all();
  for (let i = 0; i < paths.length; i++) {
    if (noteName(paths[i]).toLowerCase() == wanted) candidates.push(paths[i]);
  }
}
