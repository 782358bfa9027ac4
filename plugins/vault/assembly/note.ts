import { appendFile, createDir, fileExists, readFile, writeFile } from "../../guest-sdk/assembly/az";
import { quoteJson } from "../../guest-sdk/assembly/json";
import { Reply, fail, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { readDay } from "./day";
import { NOTES, absolute, hostFailed, missingVault } from "./vault";

const MAX_TITLE_UNITS = 120;

/** Makes a topic note, or appends to the one of that title; never replaces anything. */
export function note(request: Request): Reply {
  const title = request.text("title").trim();
  const body = request.text("body").trim();
  const append = request.flag("append");
  const day = readDay(request);
  const slug = slugOf(title);
  if (title.length > MAX_TITLE_UNITS || title.includes("\n") || slug.length == 0) {
    request.report(`Wrong argument "title": wanted one line of at most ${MAX_TITLE_UNITS} characters with a letter or digit`);
  }
  if (request.problem) return fail(request.problem!);
  const missing = missingVault(request);
  if (missing) return fail(missing);

  const path = `${NOTES}/${slug}.md`;
  const file = absolute(request, path);
  if (fileExists(file)) {
    if (!append) return fail(`Cannot create "${path}": it is there already, pass append=true to add to it or choose another title`);
    const before = readFile(file);
    const gap = before === null || before.endsWith("\n") ? "\n" : "\n\n";
    if (!appendFile(file, `${gap}${body}\n`)) return fail(hostFailed(`write "${path}"`, "file_write"));
    return succeed(`Appended to ${path}; link to it as [[${slug}]]`);
  }
  // A JSON string is a YAML string too, whatever the title holds.
  const text = `---\ntitle: ${quoteJson(title)}\ncreated: ${day}\n---\n\n# ${title}\n\n${body}\n`;
  if (!createDir(absolute(request, NOTES)) || !writeFile(file, text)) return fail(hostFailed(`write "${path}"`, "file_write"));
  return succeed(`Created ${path}; link to it as [[${slug}]]`);
}

/** A file name for a title: letters and digits of any script in lower case, everything else one dash. */
function slugOf(title: string): string {
  const lower = title.toLowerCase();
  let slug = "";
  let gap = false;
  for (let i = 0; i < lower.length; i++) {
    const unit = lower.charCodeAt(i);
    const keep = (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x30 && unit <= 0x39) || isLetterBeyondAscii(unit);
    if (!keep) {
      gap = slug.length > 0;
      continue;
    }
    // Names on disk are counted in bytes, at most 255; 60 units of the widest letters stay below.
    if (slug.length >= 60) break;
    if (gap) slug += "-";
    gap = false;
    slug += lower.charAt(i);
  }
  return slug;
}

/** Leaves out Latin-1 signs, general punctuation and symbols, surrogates, private use, and full-width forms. */
function isLetterBeyondAscii(unit: i32): bool {
  if (unit < 0xc0 || unit == 0xd7 || unit == 0xf7) return false;
  if (unit >= 0x2000 && unit <= 0x2bff) return false;
  if (unit >= 0x3000 && unit <= 0x3004) return false;
  if (unit >= 0x3008 && unit <= 0x3020) return false;
  return unit < 0xd800;
}
