import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync, realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

import { digestOf, type DigestResult } from './digest.ts';
import { listDirectory, readableReason, type ListedEntry } from './directory-listing.ts';

export interface TreeLimits {
  /** Files, links and empty directories. */
  readonly maxFiles: number;
  readonly maxBytes: number;
  /** Directories in one another, the plugin’s own not counted. */
  readonly maxDepth: number;
}

/** As much as the dependencies of a script may take, and no more than a start can hash. */
export const TREE_LIMITS: TreeLimits = { maxFiles: 20_000, maxBytes: 512 * 1024 * 1024, maxDepth: 32 };

/**
 * Left out, because no interpreter reads them by itself and they come and go while people work: version control, and what
 * editors leave. Compiled Python stays in: its unchecked form runs in place of the source beside it (PEP 552).
 */
const LEFT_OUT = /^(?:\.git|\.hg|\.svn|\.DS_Store)$/;
const EDITOR_FILE = /^\.#|~$|^\..+\.sw[a-p]$|^#.*#$/;

const CHUNK_BYTES = 256 * 1024;

/**
 * The digest of everything below a directory, for plugins whose every file can decide how they behave; see `digestOf`. Files
 * stand in it by their SHA-256, links by the SHA-512/256 of where they lead and what they lead to, so that no file can look
 * like one, and empty directories as `name/`. Links are not walked through. The first thing that cannot be hashed is named:
 * links that lead out of the directory or nowhere, pipes, sockets, devices, and whatever is past a limit. `directory` is
 * absolute and canonical. Never throws.
 */
export function readFileTree(directory: string, limits: TreeLimits = TREE_LIMITS): DigestResult {
  try {
    const files = Object.fromEntries(hashTree(directory, limits));
    return { ok: true, digest: digestOf(files), files };
  } catch (error) {
    return error instanceof TreeProblem
      ? { ok: false, file: error.file, reason: error.message }
      : { ok: false, file: '.', reason: readableReason(error) };
  }
}

/** Ends a walk; it is caught above and never leaves this file. */
class TreeProblem extends Error {
  readonly file: string;

  constructor(file: string, reason: string) {
    super(reason);
    this.file = file;
  }
}

function hashTree(directory: string, limits: TreeLimits): readonly (readonly [string, string])[] {
  // A tree that is too large is told by its names and sizes alone, for it is looked at again with every reload.
  const entries = listTree(directory, limits);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let bytes = 0;
  const hashFile = (path: string): string => {
    const found = hashRegularFile(join(directory, path), chunk, limits.maxBytes - bytes);
    if (typeof found === 'string') throw new TreeProblem(path, found);
    if (found === undefined) throw tooLarge(limits);
    bytes += found.bytes;
    return found.digest;
  };
  return entries.map(({ path, kind }) => {
    if (kind === 'directory') return [path, EMPTY];
    return [path, kind === 'symlink' ? hashLink(directory, path, hashFile) : hashFile(path)];
  });
}

/** Everything to be hashed, in the order of the walk; directories only where they are empty, as `name/`. */
function listTree(directory: string, limits: TreeLimits): readonly { readonly path: string; readonly kind: ListedEntry['kind'] }[] {
  const entries: { readonly path: string; readonly kind: ListedEntry['kind'] }[] = [];
  let bytes = 0;
  const add = (path: string, kind: ListedEntry['kind']): void => {
    if (entries.length === limits.maxFiles) throw new TreeProblem('.', `it holds more than ${limits.maxFiles} files`);
    if (kind === 'file') bytes += lstatSync(join(directory, path), { throwIfNoEntry: false })?.size ?? 0;
    if (bytes > limits.maxBytes) throw tooLarge(limits);
    entries.push({ path, kind });
  };
  const visit = (base: string, depth: number): void => {
    if (depth > limits.maxDepth) throw new TreeProblem(base, `directories are nested deeper than ${limits.maxDepth}`);
    const listing = listDirectory(join(directory, base), limits.maxFiles);
    if (!listing.ok) throw new TreeProblem(base || '.', listing.reason);
    const before = entries.length;
    for (const { name, kind } of listing.entries) {
      if (LEFT_OUT.test(name) || (kind !== 'directory' && EDITOR_FILE.test(name))) continue;
      const path = base === '' ? name : `${base}/${name}`;
      // A line end in a name would let one file stand for two in the digest; an object cannot hold the other.
      if (/\p{Cc}/u.test(name) || name === '__proto__') {
        throw new TreeProblem(path, 'its name cannot be used: wanted one without control characters that is not "__proto__"');
      }
      if (kind === 'directory') visit(path, depth + 1);
      else add(path, kind);
    }
    if (entries.length === before && base !== '') add(`${base}/`, 'directory');
  };
  visit('', 0);
  return entries;
}

const tooLarge = ({ maxBytes }: TreeLimits): TreeProblem => new TreeProblem('.', `its files have more than ${maxBytes} bytes together`);

const EMPTY = hash('sha256', '');

/** A link inside the directory; what it leads to is hashed too, because it may lie where the walk does not go. */
function hashLink(directory: string, path: string, hashFile: (path: string) => string): string {
  try {
    const target = readlinkSync(join(directory, path));
    const canonical = realpathSync.native(join(directory, path));
    const inside = relative(directory, canonical).split(sep);
    if (inside[0] === '..' || canonical === sep)
      throw new TreeProblem(path, 'it is a symbolic link that leads out of the plugin directory');
    const isDirectory = statSync(canonical).isDirectory();
    if (isDirectory && inside.some((name) => LEFT_OUT.test(name))) {
      throw new TreeProblem(path, 'it is a symbolic link to a directory of version control');
    }
    return hash('sha512-256', `${target}\0${isDirectory ? '' : hashFile(inside.join('/'))}`);
  } catch (error) {
    if (error instanceof TreeProblem) throw error;
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new TreeProblem(path, missing ? 'it is a symbolic link that leads nowhere' : readableReason(error));
  }
}

/** The digest and size of a regular file, a sentence about why there is none, or undefined past `maxBytes`. */
function hashRegularFile(
  path: string,
  chunk: Buffer,
  maxBytes: number,
): { readonly digest: string; readonly bytes: number } | string | undefined {
  let descriptor: number | undefined;
  try {
    // The kind was read from the directory and may have changed since; O_NONBLOCK is for pipes without a writer.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return 'it is not a regular file';
    if (stats.size > maxBytes) return undefined;
    let count = readSync(descriptor, chunk, 0, chunk.length, null);
    if (count < chunk.length && count === stats.size) return { digest: hash('sha256', chunk.subarray(0, count)), bytes: count };
    const hashing = createHash('sha256');
    let bytes = 0;
    for (; count > 0; count = readSync(descriptor, chunk, 0, chunk.length, null)) {
      hashing.update(chunk.subarray(0, count));
      bytes += count;
      if (bytes > maxBytes) return undefined;
    }
    return { digest: hashing.digest('hex'), bytes };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENXIO' ? 'it is not a regular file' : readableReason(error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
