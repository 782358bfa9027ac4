import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';

/** What a command must not see: files and directories by absolute, canonical path. */
export interface HiddenPaths {
  readonly files: readonly string[];
  readonly directories: readonly string[];
}
export type HiddenSearch = { readonly ok: true; readonly paths: HiddenPaths } | { readonly ok: false; readonly reason: string };

export interface HiddenSearchOptions {
  /** Whether the path with these segments below the root must stay unseen. */
  readonly isHidden: (segments: readonly string[]) => boolean;
  /** Trees that are not looked into, for they are not shown or looked through elsewhere. */
  readonly isPassedOver?: (segments: readonly string[]) => boolean;
  readonly maxEntries?: number;
  readonly maxHidden?: number;
}

/** Trees of other people’s files: looked through last, and hidden whole when there are too many entries to look at. */
const DEPENDENCY_DIRECTORIES = new Set(['node_modules', '.venv', 'venv', 'target', 'vendor', '.cache', '.gradle', '.tox']);
/** Git’s own storage: its names are hashes and references. */
const OPAQUE = new Set(['.git/objects', '.git/refs', '.git/logs', '.git/lfs']);
const DEFAULT_MAX_ENTRIES = 50_000;
const DEFAULT_MAX_HIDDEN = 1000;
const PARALLEL_READS = 16;

/**
 * Finds what to hide below a root, nearest first: what `isHidden` names, and sockets. A root with more entries than `maxEntries` outside of dependencies is
 * refused, for what has not been looked at could not be hidden. Links are followed only to hide what a hidden name
 * leads to; a second hard link to a hidden file under a harmless name is not recognised.
 */
export async function findHidden(root: string, options: HiddenSearchOptions): Promise<HiddenSearch> {
  const { isHidden, isPassedOver = () => false, maxEntries = DEFAULT_MAX_ENTRIES, maxHidden = DEFAULT_MAX_HIDDEN } = options;
  const files: string[] = [];
  const directories: string[] = [];
  const deferred: (readonly string[])[] = [];
  let seen = 0;

  const visit = async (segments: readonly string[]): Promise<(readonly string[])[]> => {
    const below: (readonly string[])[] = [];
    for (const entry of await tryReadDirectory(join(root, ...segments))) {
      seen += 1;
      const path = [...segments, entry.name];
      const absolute = join(root, ...path);
      // A read-only mount does not keep anybody from connecting to a socket, and what listens there is no plugin’s to talk to.
      if (entry.isSocket()) files.push(absolute);
      else if (isHidden(path)) {
        const real = entry.isSymbolicLink() ? await tryRealpath(absolute, root) : absolute;
        // A link that leads nowhere inside has nothing behind it in the sandbox either.
        if (real !== undefined) (entry.isDirectory() ? directories : files).push(real);
      } else if (entry.isDirectory() && !isPassedOver(path) && !OPAQUE.has(path.slice(-2).join('/'))) {
        (DEPENDENCY_DIRECTORIES.has(entry.name) ? deferred : below).push(path);
      }
    }
    return below;
  };

  /** False when the budget ran out; then `queue` holds what was not looked at. */
  const walk = async (queue: (readonly string[])[]): Promise<boolean> => {
    while (queue.length > 0) {
      if (seen > maxEntries) return false;
      const found = await Promise.all(queue.splice(0, PARALLEL_READS).map(visit));
      queue.push(...found.flat());
    }
    return seen <= maxEntries;
  };

  if (!(await walk([[]]))) return { ok: false, reason: `it has more than ${maxEntries} entries, too many to hide the sensitive ones` };
  while (deferred.length > 0) {
    const [next = []] = deferred.splice(0, 1);
    if (!(await walk([next]))) {
      directories.push(...[next, ...deferred.splice(0)].map((segments) => join(root, ...segments)));
    }
  }
  if (files.length + directories.length > maxHidden) return { ok: false, reason: `it has more than ${maxHidden} sensitive files` };
  return { ok: true, paths: { files, directories } };
}

async function tryReadDirectory(path: string) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch {
    // What cannot be listed here cannot be read in the sandbox, which has no more rights.
    return [];
  }
}

async function tryRealpath(path: string, root: string): Promise<string | undefined> {
  try {
    const real = await realpath(path);
    return real.startsWith(`${root}/`) ? real : undefined;
  } catch {
    return undefined;
  }
}
