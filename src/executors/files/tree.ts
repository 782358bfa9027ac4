import { constants, type Dir, type Stats } from 'node:fs';

/** Something that was found in the tree and verified to lie in it. */
export interface Spot {
  /** Where it really is: absolute, free of symlinks. */
  readonly canonical: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'special';
  readonly bytes: number;
  /** How many names it has. */
  readonly links: number;
  /** A path that leads to this very thing, whatever happens to its name; meant for the tree that made it. */
  readonly reach: string;
  /** What keeps it reachable, where that is a descriptor. */
  readonly descriptor: number | undefined;
}

/**
 * A directory tree that is never left. Methods throw FileProblem, or the operating system’s error, for what can’t be
 * reached. Every `Spot` must be released.
 */
export interface Tree {
  readonly root: string;
  /** Follows symlinks as long as they end inside. Opens nothing for reading or writing, so that nothing has side effects. */
  find(segments: readonly string[], from?: Spot): Spot;
  /** The entry of that name itself, symlink or not; undefined where there is none. */
  findEntry(directory: Spot, name: string): Spot | undefined;
  /** Opens exactly what was found. */
  open(spot: Spot, flags: number): number;
  openDirectory(spot: Spot): Dir;
  /** Makes a new file and opens it; throws EEXIST where anything has that name already, a dangling symlink included. */
  create(directory: Spot, name: string, flags: number): number;
  /** Throws EEXIST as `create` does. */
  makeDirectory(directory: Spot, name: string): void;
  release(spot: Spot): void;
  close(): void;
}

export function kindOf(stats: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>): Spot['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'special';
}

/** A flag that some systems don’t have, where its constant is undefined. */
const flag = (value: number | undefined): number => value ?? 0;

export const READ = constants.O_RDONLY;
export const WRITE = constants.O_WRONLY;
export const APPEND = constants.O_APPEND;
export const CREATE_NEW = constants.O_CREAT | constants.O_EXCL;
export const NO_FOLLOW = flag(constants.O_NOFOLLOW);
export const DIRECTORY = flag(constants.O_DIRECTORY);
/** Neither a FIFO nor a terminal can hold up or take over the server (sandbox.md §D row 9). */
export const CALM = flag(constants.O_NONBLOCK) | flag(constants.O_NOCTTY);
