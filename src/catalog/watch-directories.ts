import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

import { watch } from 'chokidar';

export interface WatchOptions {
  /** Something changed, or may have changed before it was watched. */
  onChange(): void;
  onError(error: unknown): void;
}

export interface DirectoryWatch {
  close(): Promise<void>;
}

/** A plugin’s manifest, modules and scripts lie in its directory or some directories below it. */
const WATCH_DEPTH = 6;
/**
 * What is not worth thousands of watches: version control, what Rust builds, and installed packages. Of the latter, what
 * their managers write or put in place at the end of every installation is watched in their stead.
 */
const IGNORED = /\/(?:(?:\.git|target)(?:\/|$)|node_modules\/(?!\.package-lock\.json$)|\.dependencies\/[^/]+\/)/;

/** Watches directories, those that do not exist yet too, however many of the directories above them are missing. */
export function watchDirectories(directories: readonly string[], { onChange, onError }: WatchOptions): DirectoryWatch {
  const watched = new Set<string>();

  /** The watcher waits for a missing path by watching its parent, which must therefore be there. */
  const listNew = (): string[] => {
    const wanted = new Set(directories.map(findWatchable).filter((path) => !watched.has(path)));
    for (const path of wanted) watched.add(path);
    return [...wanted];
  };

  const watcher = watch(listNew(), {
    ignoreInitial: true,
    depth: WATCH_DEPTH,
    ignored: (path) => !isOfInterest(path, directories),
    ignorePermissionErrors: true,
  })
    .on('all', (event, path) => {
      if (event === 'unlinkDir') for (const gone of watched) if (gone === path || isAbove(path, gone)) watched.delete(gone);
      if (event === 'addDir' || event === 'unlinkDir') follow();
      onChange();
    })
    // What changed between the first read and now was not watched yet.
    .on('ready', () => {
      follow();
      onChange();
    })
    .on('error', onError);
  function follow(): void {
    const wanted = listNew();
    if (wanted.length > 0) watcher.add(wanted);
  }
  return { close: () => watcher.close() };
}

/** Whether a path is looked at: in these directories all but what is ignored, and those above them, where they may come to be. */
export function isOfInterest(path: string, directories: readonly string[]): boolean {
  return directories.some((directory) =>
    path === directory || path.startsWith(`${directory}/`) ? !IGNORED.test(path.slice(directory.length)) : isAbove(path, directory),
  );
}

const isAbove = (path: string, other: string): boolean => path === '/' || other.startsWith(`${path}/`);

/** The directory itself, or the topmost one above it that is missing. */
function findWatchable(directory: string): string {
  let path = directory;
  for (let parent = dirname(path); parent !== path && !existsSync(parent); parent = dirname(path)) path = parent;
  return path;
}
