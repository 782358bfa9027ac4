import { type BigIntStats, closeSync, fstatSync, lstatSync, mkdirSync, opendirSync, openSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';

import { HostError } from '../../errors.ts';
import { isInside } from './path.ts';
import { FileProblem } from './result.ts';
import { CALM, CREATE_NEW, kindOf, NO_FOLLOW, type Spot, type Tree } from './tree.ts';

/** macOS 11 `<sys/fcntl.h>`: open fails when any component is a symlink. Absent in `node:fs`. */
const O_NOFOLLOW_ANY = 0x20000000;
const NO_SYMLINKS = process.platform === 'darwin' ? O_NOFOLLOW_ANY : NO_FOLLOW;

interface RealSpot extends Spot {
  readonly stats: BigIntStats;
}

/**
 * A tree for systems without `/proc/self/fd`: resolve, check, open, and check again that the same thing still stands
 * at the same place. On macOS `O_NOFOLLOW_ANY` closes the gap in between; elsewhere this is weaker than the
 * descriptor tree: one who renames inside the root at the right moment can have an empty file or directory made
 * outside it, but nothing read or written there.
 * Throws HostError when the root is no directory.
 */
export function createRealpathTree(root: string): Tree {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) throw new HostError('CONFIG_ROOT_MISSING', { root });
  if (realpathSync.native(root) !== root) {
    throw new HostError('EXECUTION_INTERNAL', { what: `the root "${root}" must be canonical, it is "${realpathSync.native(root)}"` });
  }

  const spotAt = (canonical: string, stats: BigIntStats): RealSpot => {
    if (!isInside(canonical, root, sep)) throw new FileProblem('outside', 'it leads out of the root');
    return {
      canonical,
      kind: kindOf(stats),
      bytes: Number(stats.size),
      links: Number(stats.nlink),
      reach: canonical,
      descriptor: undefined,
      stats,
    };
  };

  return {
    root,
    find(segments, from) {
      const canonical = realpathSync.native(join(from?.reach ?? root, ...segments));
      // Checked before looking at it, so that nothing outside is even touched.
      if (!isInside(canonical, root, sep)) throw new FileProblem('outside', 'it leads out of the root');
      return spotAt(canonical, lstatSync(canonical, { bigint: true }));
    },
    findEntry(directory, name) {
      const path = join(directory.reach, name);
      const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (stats === undefined) return undefined;
      return spotAt(stats.isSymbolicLink() ? path : realpathSync.native(path), stats);
    },
    open(spot, flags) {
      const descriptor = openSync(spot.reach, flags | NO_SYMLINKS | CALM);
      return keep(descriptor, () => isSameThing(descriptor, spot) && isStill(spot.canonical));
    },
    openDirectory(spot) {
      const directory = opendirSync(spot.reach, { encoding: 'buffer' as BufferEncoding });
      if (isStill(spot.canonical)) return directory;
      directory.closeSync();
      throw moved();
    },
    create(directory, name, flags) {
      if (!isStill(directory.canonical)) throw moved();
      const path = join(directory.reach, name);
      const descriptor = openSync(path, flags | CREATE_NEW | NO_SYMLINKS | CALM, 0o666);
      return keep(descriptor, () => isStill(directory.canonical) && isSameThing(descriptor, { stats: lstatSync(path, { bigint: true }) }));
    },
    makeDirectory(directory, name) {
      if (!isStill(directory.canonical)) throw moved();
      mkdirSync(join(directory.reach, name));
    },
    release: () => undefined,
    close: () => undefined,
  };
}

const moved = (): FileProblem => new FileProblem('moved', 'it changed its place while it was being opened');

const isStill = (canonical: string): boolean => realpathSync.native(canonical) === canonical;

function isSameThing(descriptor: number, spot: object): boolean {
  const opened = fstatSync(descriptor, { bigint: true });
  return 'stats' in spot && opened.dev === (spot as RealSpot).stats.dev && opened.ino === (spot as RealSpot).stats.ino;
}

/** Keeps the descriptor if the check holds and closes it if it doesn't or throws. */
function keep(descriptor: number, holds: () => boolean): number {
  let good = false;
  try {
    good = holds();
  } finally {
    if (!good) closeSync(descriptor);
  }
  if (!good) throw moved();
  return descriptor;
}
