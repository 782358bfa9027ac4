import { Reply, fail, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { CAPTURED, addToSection, dailyPath, ensureDaily } from "./daily-note";
import { clockTime, readDay } from "./day";
import { missingVault } from "./vault";

const MAX_MESSAGE_UNITS = 20000;
const MAX_SECTION_UNITS = 100;

/** Appends a timed entry to the note of a day. */
export function capture(request: Request): Reply {
  const message = request.text("message");
  const section = request.optionalText("section", CAPTURED).trim();
  const day = readDay(request);
  if (message.length > MAX_MESSAGE_UNITS) {
    request.report(`Argument "message" is too long: ${message.length} characters, wanted at most ${MAX_MESSAGE_UNITS}; use note`);
  }
  if (!isHeading(section)) {
    request.report(`Wrong argument "section": wanted one line of 1 to ${MAX_SECTION_UNITS} characters without a leading #`);
  }
  if (request.problem) return fail(request.problem!);
  const missing = missingVault(request);
  if (missing) return fail(missing);

  ensureDaily(request, day);
  if (request.problem) return fail(request.problem!);
  const path = dailyPath(day);
  addToSection(request, path, section, `- ${clockTime()} ${indent(message)}`);
  if (request.problem) return fail(request.problem!);
  return succeed(`Captured to ${path} under "${section}"`);
}

/** Further lines belong to the same list item when they are indented. */
function indent(message: string): string {
  const lines = message.trim().split("\n");
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i].trimEnd();
    lines[i] = line.length == 0 ? "" : "  " + line;
  }
  lines[0] = lines[0].trimEnd();
  return lines.join("\n");
}

function isHeading(section: string): bool {
  return (
    section.length > 0 &&
    section.length <= MAX_SECTION_UNITS &&
    !section.startsWith("#") &&
    !section.includes("\n") &&
    !section.includes("\r")
  );
}
