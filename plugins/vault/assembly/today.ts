import { readFile } from "../../guest-sdk/assembly/az";
import { Reply, fail, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { dailyPath, ensureDaily } from "./daily-note";
import { readDay } from "./day";
import { absolute, hostFailed, missingVault } from "./vault";

/** Shows the note of a day, making it where there is none. */
export function today(request: Request): Reply {
  const day = readDay(request);
  if (request.problem) return fail(request.problem!);
  const missing = missingVault(request);
  if (missing) return fail(missing);

  const made = ensureDaily(request, day);
  if (request.problem) return fail(request.problem!);
  const path = dailyPath(day);
  const text = readFile(absolute(request, path));
  if (text === null) return fail(hostFailed(`read "${path}"`, "file_read"));
  return succeed(`${made ? "Created" : "From"} ${path}:\n\n${text}`);
}
