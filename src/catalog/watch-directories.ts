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

/** A plugin’s manifest and modules lie in its directory or just below it. */
const WATCH_DEPTH = 3;
/** What a plugin’s author works with changes all the time and is no part of the plugin. */
const IGNORED = /^\/(?:.*\/)?(?:node_modules|\.git)(?:\/|$)/;

/** Watches directories, those that do not exist yet too, however many of the directories above them are missing. */
export function watchDirectories(directories: readonly string[], { onChange, onError }: WatchOptions): DirectoryWatch {
  const watched = new Set<string>();

  const isOfInterest = (path: string): boolean =>
    directories.some((directory) =>
      path === directory || path.startsWith(`${directory}/`) ? !IGNORED.test(path.slice(directory.length)) : isAbove(path, directory),
    );

  /** The watcher waits for a missing path by watching its parent, which must therefore be there. */
  const listNew = (): string[] => {
    const wanted = new Set(directories.map(findWatchable).filter((path) => !watched.has(path)));
    for (const path of wanted) watched.add(path);
    return [...wanted];
  };

  const watcher = watch(listNew(), {
    ignoreInitial: true,
    depth: WATCH_DEPTH,
    ignored: (path) => !isOfInterest(path),
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

const isAbove = (path: string, other: string): boolean => path === '/' || other.startsWith(`${path}/`);

/** The directory itself, or the topmost one above it that is missing. */
function findWatchable(directory: string): string {
  let path = directory;
  for (let parent = dirname(path); parent !== path && !existsSync(parent); parent = dirname(path)) path = parent;
  return path;
}
