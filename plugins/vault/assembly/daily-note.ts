import { appendFile, createDir, fileExists, readFile, writeFile } from "../../guest-sdk/assembly/az";
import { Request } from "../../guest-sdk/assembly/request";
import { DAILY, absolute, hostFailed } from "./vault";

/** Where captures go that name no section. */
export const CAPTURED = "Captured";

/** The note of one day, relative to the root. */
export function dailyPath(day: string): string {
  return `${DAILY}/${day}.md`;
}

/** What a new daily note holds. */
export function dailyText(day: string): string {
  return `---\ndate: ${day}\ntags: [daily]\n---\n\n# ${day}\n\n## ${CAPTURED}\n`;
}

/** Makes the note of a day where there is none; reports a problem when that failed. True when it made one. */
export function ensureDaily(request: Request, day: string): bool {
  const path = dailyPath(day);
  if (fileExists(absolute(request, path))) return false;
  if (createDir(absolute(request, DAILY)) && writeFile(absolute(request, path), dailyText(day))) return true;
  request.report(hostFailed(`write "${path}"`, "file_write"));
  return false;
}

/** Puts an entry (whole lines) at the end of a section of a note, making the section at the end where there is none. */
export function addToSection(request: Request, path: string, section: string, entry: string): void {
  const file = absolute(request, path);
  const text = readFile(file);
  if (text === null) return request.report(hostFailed(`read "${path}"`, "file_read"));
  const place = findSection(text, section);
  const gap = text.length == 0 || text.endsWith("\n") ? "" : "\n";
  let done: bool;
  if (!place.found) {
    done = appendFile(file, `${gap}\n## ${section}\n\n${entry}\n`);
  } else if (place.end == text.length) {
    // Appending keeps what another call wrote meanwhile; rewriting is left for sections in the middle.
    done = appendFile(file, `${gap}${place.empty ? "\n" : ""}${entry}\n`);
  } else {
    const lead = place.empty ? "\n" : "";
    done = writeFile(file, `${text.substring(0, place.end)}${lead}${entry}\n${text.substring(place.end)}`);
  }
  if (!done) request.report(hostFailed(`write "${path}"`, "file_write"));
}

class Place {
  found: bool = false;
  /** Nothing but white space below the heading. */
  empty: bool = true;
  /** Where an entry goes, behind the last line that holds something; the text's length when nothing follows. */
  end: i32 = 0;
}

/** Finds `## section` outside front matter and fenced code; names are compared without regard to case. */
function findSection(text: string, section: string): Place {
  const place = new Place();
  const wanted = "## " + section.toLowerCase();
  let fenced = false;
  let at = frontMatterEnd(text);
  while (at < text.length) {
    let next = text.indexOf("\n", at) + 1;
    if (next == 0) next = text.length;
    const line = text.substring(at, next).trimEnd();
    if (line.startsWith("```") || line.startsWith("~~~")) fenced = !fenced;
    const heading = !fenced && (line.startsWith("# ") || line.startsWith("## "));
    if (heading && place.found) return place;
    if (heading && line.toLowerCase() == wanted) {
      place.found = true;
      place.end = next;
    } else if (place.found && line.length > 0) {
      place.empty = false;
      place.end = next;
    }
    at = next;
  }
  if (place.found) place.end = text.length;
  return place;
}

function frontMatterEnd(text: string): i32 {
  if (!text.startsWith("---\n")) return 0;
  const end = text.indexOf("\n---\n", 3);
  return end < 0 ? 0 : end + 5;
}
