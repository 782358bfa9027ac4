import type { Stats } from 'node:fs';
import { chmod, chown, lstat, mkdir, opendir } from 'node:fs/promises';
import { join } from 'node:path';

import { findIdentity } from './identity.ts';

export interface SizeLimits {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

export interface DirectorySize {
  /** What the files take on the disk, as far as it was counted: counting ends when a limit is passed. */
  readonly bytes: number;
  readonly entries: number;
  readonly isOver: boolean;
}

/** `st_blocks` counts these, whatever the file system’s own blocks are (stat(2)). */
const BLOCK_BYTES = 512;
const CHECK_INTERVAL_MS = 250;
/** A larger directory is looked through over several checks. */
const ENTRIES_EACH_CHECK = 2000;

const ROOT_GROUP = 0;

/**
 * Makes the directory that a plugin keeps its data in, with its parents: for its owner alone. Where the server is root, that
 * is the user whom sandboxes run as, and root’s group, for a sandbox that has to keep root’s user has none of root’s rights.
 * Rejects with what the system says.
 */
export async function makeDataDirectory(path: string): Promise<void> {
  const isNew = (await mkdir(path, { recursive: true, mode: 0o700 })) !== undefined;
  const identity = findIdentity();
  if (!identity) return;
  const owner = (await lstat(path)).uid;
  // One that an operator has given away stays with whom it was given to.
  if (!isNew && owner !== process.getuid?.()) return;
  await chown(path, identity.uid, ROOT_GROUP);
  await chmod(path, 0o770);
}

/**
 * Adds up what a directory holds. Links are counted and never followed, holes in files cost nothing, a file with several
 * names counts once. A missing directory is empty; one that cannot be looked into is over, whatever it holds. Never rejects.
 */
export async function measureDirectory(path: string, limits: SizeLimits): Promise<DirectorySize> {
  const walk = createWalk(path, limits);
  await walk.step(Number.POSITIVE_INFINITY);
  await walk.end();
  return walk.size();
}

/**
 * Measures a directory again and again while something writes to it, a bounded number of entries at a time, and calls back
 * once when a limit is passed. Returns what ends it. Keeps no process alive.
 */
export function watchDirectorySize(path: string, limits: SizeLimits, onOver: () => void): () => void {
  let walk = createWalk(path, limits);
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const check = async (): Promise<void> => {
    const done = await walk.step(ENTRIES_EACH_CHECK);
    if (done || stopped) await walk.end();
    if (stopped) return;
    if (walk.size().isOver) {
      stopped = true;
      onOver();
      return;
    }
    if (done) walk = createWalk(path, limits);
    schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(() => void check(), CHECK_INTERVAL_MS).unref();
  };
  schedule();
  return () => {
    if (stopped) return;
    stopped = true;
    clearTimeout(timer);
    void walk.end();
  };
}

/** One pass over a tree, in steps. */
function createWalk(root: string, { maxBytes, maxEntries }: SizeLimits) {
  const visits = visitTree(root);
  const counted = new Set<string>();
  let bytes = 0;
  let entries = 0;
  let isHidden = false;
  const isOver = (): boolean => isHidden || bytes > maxBytes || entries > maxEntries;

  const count = (visit: Visit): void => {
    if (visit === 'gone') return;
    entries += 1;
    if (visit === 'closed') isHidden = true;
    else if (visit.nlink === 1 || visit.isDirectory() || !counted.has(`${visit.dev}:${visit.ino}`)) bytes += visit.blocks * BLOCK_BYTES;
    if (visit !== 'closed' && visit.nlink > 1) counted.add(`${visit.dev}:${visit.ino}`);
  };

  return {
    size: (): DirectorySize => ({ bytes, entries, isOver: isOver() }),
    /** Looks at so many entries more; true when there is nothing left to look at, or no need to. */
    async step(maxVisits: number): Promise<boolean> {
      for (let visited = 0; visited < maxVisits && !isOver(); visited += 1) {
        const next = await visits.next();
        if (next.done) return true;
        count(next.value);
      }
      return isOver();
    },
    /** Closes what is open. */
    async end(): Promise<void> {
      await visits.return(undefined);
    },
  };
}

/** What was found: `closed` is a directory that this process cannot look into, as a plugin could make one to hide bytes in. */
type Visit = Stats | 'gone' | 'closed';

async function* visitTree(root: string): AsyncGenerator<Visit, undefined> {
  const waiting = [root];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    try {
      for await (const entry of await opendir(directory)) {
        const path = join(directory, entry.name);
        if (entry.isDirectory()) waiting.push(path);
        yield await tryLstat(path);
      }
    } catch (error) {
      yield isMissing(error) ? 'gone' : 'closed';
    }
  }
  return undefined;
}

async function tryLstat(path: string): Promise<Visit> {
  try {
    return await lstat(path);
  } catch (error) {
    return isMissing(error) ? 'gone' : 'closed';
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
