import { fileExists } from "../../guest-sdk/assembly/az";
import { Request } from "../../guest-sdk/assembly/request";

/** Folders and files of a vault, relative to the root. */
export const WIKI = "wiki";
export const DAILY = "wiki/daily";
export const NOTES = "wiki/notes";
export const INDEX = "wiki/index.md";

/** One sentence when the root holds no vault yet, else null. */
export function missingVault(request: Request): string | null {
  if (fileExists(absolute(request, WIKI))) return null;
  return `Cannot ${request.action}: no vault in "${request.root}" (it has no ${WIKI} folder that can be read), call init first`;
}

/** A path below the root, as the host wants it. */
export function absolute(request: Request, path: string): string {
  return request.root == "/" ? "/" + path : request.root + "/" + path;
}

/** What to say when the host did not do what was asked; imports give no reason. */
export function hostFailed(what: string, permission: string): string {
  return `Cannot ${what}: the host refused or failed, check the permission ${permission} and that the path is free`;
}

/** Whether a path stays below the root and needs no interpretation: relative, no empty, `.` or `..` part, no `\` or NUL. */
export function isPlainPath(path: string): bool {
  if (path.length == 0 || path.length > 1024 || path.includes("\\") || path.includes("\0")) return false;
  const parts = path.split("/");
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part.length == 0 || part == "." || part == "..") return false;
  }
  return true;
}

/** The name that `[[links]]` use: the last part of a path, without `.md`. */
export function noteName(path: string): string {
  const file = path.substring(path.lastIndexOf("/") + 1);
  return file.endsWith(".md") ? file.substring(0, file.length - 3) : file;
}

/** "1 note", "2 notes". */
export function count(number: i32, noun: string): string {
  return `${number} ${noun}${number == 1 ? "" : noun.endsWith("ch") ? "es" : "s"}`;
}
