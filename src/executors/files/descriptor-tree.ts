import { closeSync, fstatSync, lstatSync, mkdirSync, opendirSync, openSync, readlinkSync } from 'node:fs';
import { join } from 'node:path/posix';

import { HostError, reasonOf } from '../../errors.ts';
import { isInside } from './path.ts';
import { errnoOf, FileProblem } from './result.ts';
import { CALM, CREATE_NEW, DIRECTORY, kindOf, NO_FOLLOW, type Spot, type Tree } from './tree.ts';

/** `open(2)`: names a thing without opening it, so that looking at a device or FIFO does nothing to it. Absent in `node:fs`. */
const O_PATH = 0o10000000;
const DELETED_SUFFIX = ' (deleted)';

/**
 * A tree on Linux, anchored to descriptors. Whatever is found is held by an `O_PATH` descriptor, its place is read
 * back from `/proc/self/fd`, and it is opened through that descriptor: names may change underneath as they like
 * (sandbox.md §0.10, §E). A root that is renamed or replaced after this makes every call fail, never lead elsewhere.
 * Throws HostError when the root is no directory or `/proc` is missing.
 */
export function createDescriptorTree(root: string): Tree {
  const rootDescriptor = openRoot(root);
  const rootReach = reachOf(rootDescriptor);
  let closed = false;

  const hold = (descriptor: number): Spot => {
    try {
      return examine(descriptor, root);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  };
  const findEntry = (directory: Spot, name: string): Spot | undefined => {
    try {
      return hold(openSync(`${directory.reach}/${name}`, O_PATH | NO_FOLLOW));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  };

  return {
    root,
    find(segments, from) {
      // The number may belong to another file by now.
      if (closed) throw new HostError('EXECUTION_INTERNAL', { what: 'file access was closed before its last use' });
      return hold(openSync([from?.reach ?? rootReach, ...segments].join('/'), O_PATH));
    },
    findEntry,
    open: (spot, flags) => openSync(spot.reach, flags | CALM),
    openDirectory: (spot) => opendirSync(spot.reach, { encoding: 'buffer' as BufferEncoding, bufferSize: 256 }),
    create(directory, name, flags) {
      const descriptor = openSync(`${directory.reach}/${name}`, flags | CREATE_NEW | NO_FOLLOW | CALM, 0o666);
      try {
        if (examine(descriptor, root).canonical === join(directory.canonical, name)) return descriptor;
        throw new FileProblem('moved', 'its directory changed its place while it was being made');
      } catch (error) {
        closeSync(descriptor);
        throw error;
      }
    },
    makeDirectory: (directory, name) => mkdirSync(`${directory.reach}/${name}`),
    release: (spot) => {
      if (spot.descriptor !== undefined) closeSync(spot.descriptor);
    },
    close() {
      if (!closed) closeSync(rootDescriptor);
      closed = true;
    },
  };
}

const reachOf = (descriptor: number): string => `/proc/self/fd/${descriptor}`;

function openRoot(root: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(root, O_PATH | DIRECTORY | NO_FOLLOW);
  } catch (error) {
    throw new HostError('CONFIG_ROOT_MISSING', { root }, { cause: error });
  }
  try {
    const found = readlinkSync(reachOf(descriptor));
    if (found !== root || found.includes('\uFFFD')) {
      throw new HostError('EXECUTION_INTERNAL', { what: `the root "${root}" must be canonical, it is "${found}"` });
    }
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    if (error instanceof HostError) throw error;
    throw new HostError('EXECUTION_INTERNAL', { what: `/proc must be mounted: ${reasonOf(error)}` }, { cause: error });
  }
}

function examine(descriptor: number, root: string): Spot {
  const reach = reachOf(descriptor);
  const canonical = readlinkSync(reach);
  const stats = fstatSync(descriptor);
  if (stats.nlink === 0) throw new FileProblem('missing', 'it was deleted');
  if (!isInside(canonical, root)) throw new FileProblem('outside', 'it leads out of the root');
  // A name that isn't UTF-8 reads as replacement characters, and a rule about the real name could miss it.
  if (canonical.includes('\uFFFD')) throw new FileProblem('bad-path', 'a name on its way is not UTF-8');
  if (canonical.endsWith(DELETED_SUFFIX) && !isStillThere(canonical, stats)) throw new FileProblem('missing', 'it was deleted');
  return { canonical, kind: kindOf(stats), bytes: stats.size, links: stats.nlink, reach, descriptor };
}

/** The kernel marks what lost its name; a file may also simply be called that. */
function isStillThere(canonical: string, { dev, ino }: { dev: number; ino: number }): boolean {
  const named = lstatSync(canonical, { throwIfNoEntry: false });
  return named?.dev === dev && named.ino === ino;
}
