import { listDir } from "../../guest-sdk/assembly/az";
import { Request } from "../../guest-sdk/assembly/request";
import { DAILY, WIKI, absolute } from "./vault";

const MAX_ENTRIES = 20000;
const MAX_DEPTH = 16;

/** What a walk found. */
export class Walk {
  /** Notes that are no daily ones, relative to the root, in order of folders and names. */
  notes: string[] = [];
  /** Daily notes, newest first. */
  daily: string[] = [];
  entries: i32 = 0;
  /** Whether entries or levels were left out. */
  cut: bool = false;

  /** Daily notes first, newest at the top: what was written last is most often what is looked for. */
  all(): string[] {
    return this.daily.concat(this.notes);
  }

  /** One sentence to put below an answer, or nothing. */
  remark(): string {
    return this.cut ? `\n\nThe vault is larger than one call looks at: ${MAX_ENTRIES} entries, ${MAX_DEPTH} levels` : "";
  }
}

class Folder {
  constructor(readonly path: string, readonly depth: i32) {}
}

/** Lists the notes (`*.md`) of the vault. Hidden files and folders are left out. */
export function walkVault(request: Request): Walk {
  const walk = new Walk();
  const waiting: Folder[] = [new Folder(WIKI, 0)];
  while (waiting.length > 0) {
    const folder = waiting.pop();
    // A file gives null here and is left behind: names tell nothing about what they name.
    const names = listDir(absolute(request, folder.path));
    if (!names) continue;
    const inDaily = folder.path == DAILY;
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (name.startsWith(".")) continue;
      if (++walk.entries > MAX_ENTRIES) {
        walk.cut = true;
        break;
      }
      const path = folder.path + "/" + name;
      if (name.endsWith(".md")) (inDaily ? walk.daily : walk.notes).push(path);
      else if (!isFileName(name)) {
        if (folder.depth + 1 < MAX_DEPTH) waiting.push(new Folder(path, folder.depth + 1));
        else walk.cut = true;
      }
    }
  }
  sortNames(walk.notes);
  sortNames(walk.daily);
  walk.daily.reverse();
  return walk;
}

/** Hosts list names in order, so that mostly nothing is left to sort; looking costs far less than sorting. */
function sortNames(names: string[]): void {
  for (let i = 1; i < names.length; i++) {
    if (names[i - 1] <= names[i]) continue;
    names.sort();
    return;
  }
}

/** Attachments are many and each look at one costs a call to the host, so usual endings are taken at their word. */
function isFileName(name: string): bool {
  const dot = name.lastIndexOf(".");
  if (dot < 1) return false;
  const ending = name.substring(dot + 1).toLowerCase();
  for (let i = 0; i < FILE_ENDINGS.length; i++) if (FILE_ENDINGS[i] == ending) return true;
  return false;
}

const FILE_ENDINGS: StaticArray<string> = [
  "png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "heic", "pdf", "txt", "csv", "json", "html", "zip", "mp3", "m4a",
  "wav", "ogg", "mp4", "mov", "webm", "docx", "xlsx", "pptx", "canvas", "excalidraw", "bib", "toml", "yaml", "yml",
];
