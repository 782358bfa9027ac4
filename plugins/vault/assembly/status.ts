import { readFile } from "../../guest-sdk/assembly/az";
import { Reply, fail, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { dailyPath } from "./daily-note";
import { isDay, readDay } from "./day";
import { absolute, missingVault, noteName } from "./vault";
import { walkVault } from "./walk";

/** Counts, the span of the daily notes, and what has been captured today. */
export function status(request: Request): Reply {
  const day = readDay(request);
  if (request.problem) return fail(request.problem!);
  const missing = missingVault(request);
  if (missing) return fail(missing);

  const walk = walkVault(request);
  const days: string[] = [];
  for (let i = 0; i < walk.daily.length; i++) if (isDay(noteName(walk.daily[i]))) days.push(noteName(walk.daily[i]));
  const span = days.length == 0 ? "" : ` (${days[days.length - 1]} to ${days[0]})`;
  return succeed(
    [
      `Vault in ${request.root}`,
      "",
      `- notes: ${walk.notes.length}`,
      `- daily notes: ${walk.daily.length}${span}`,
      `- captured on ${day}: ${captures(request, day)}`,
    ].join("\n") + walk.remark(),
  );
}

/** The list items of a daily note that begin with a time. */
function captures(request: Request, day: string): i32 {
  const text = readFile(absolute(request, dailyPath(day)));
  if (text === null) return 0;
  const lines = text.split("\n");
  let total = 0;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (line.startsWith("- ") && line.charAt(4) == ":" && line.charAt(7) == " ") total++;
  }
  return total;
}
