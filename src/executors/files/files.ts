import type { CapabilityUse, Permit } from '../executor.ts';
import { createDescriptorTree } from './descriptor-tree.ts';
import { joinCanonical, makeDirectories } from './directory.ts';
import { parsePath } from './path.ts';
import { type DirectoryListing, listEntries, readWholeText } from './read.ts';
import { createRealpathTree } from './realpath-tree.ts';
import { attempt, errnoOf, type FileAction, FileProblem, type FileResult } from './result.ts';
import type { Spot, Tree } from './tree.ts';
import { writeBytes } from './write.ts';

export type { FileFailure, FileFailureReason, FileResult } from './result.ts';

export interface FileLimits {
  /** Size of a file that may be read. */
  readonly maxReadBytes: number;
  /** Size that a file may reach by writing or appending. */
  readonly maxFileBytes: number;
  /** What may be written in all through one `FileAccess`. */
  readonly maxTotalWriteBytes: number;
  /** Entries of a directory that may be listed. */
  readonly maxEntries: number;
}

export const DEFAULT_FILE_LIMITS: FileLimits = {
  maxReadBytes: 16 * 1024 * 1024,
  maxFileBytes: 64 * 1024 * 1024,
  maxTotalWriteBytes: 256 * 1024 * 1024,
  maxEntries: 50_000,
};

export interface FileAccessOptions {
  /** Absolute and canonical; must be a directory. */
  readonly root: string;
  /** Asked with the canonical path of what was found, before it is opened or made. */
  readonly permit: (use: CapabilityUse) => Permit;
  readonly limits: FileLimits;
  /** How the root is held: by descriptor on Linux, by resolved path elsewhere (weaker, see `createRealpathTree`). */
  readonly anchoring?: 'descriptor' | 'realpath';
}

/**
 * The files of one call, for a plugin that has none of its own. Paths are relative to the root, or absolute and below
 * it. Synchronous, for one call takes microseconds. Semantics: agentzero.md §2, “Import”.
 */
export interface FileAccess {
  /**
   * A whole file as strict UTF-8, a byte order mark kept. A file with several names is read, for package stores link
   * their files; `permit` then sees the name that was asked for.
   */
  readText(path: string): FileResult<{ readonly text: string }>;
  /** Replaces or makes a file; its directory must exist. */
  write(path: string, text: string): FileResult;
  append(path: string, text: string): FileResult;
  list(path: string): FileResult<DirectoryListing>;
  /** Makes a directory and its parents; fine when it is there already. */
  createDirectory(path: string): FileResult;
  /** Whether anything is there; a missing parent is a plain no. */
  exists(path: string): FileResult<{ readonly exists: boolean }>;
  /** Lets go of the root; no call works after it. */
  close(): void;
}

/** Throws HostError when the root can’t be held. */
export function createFileAccess({ root, permit, limits, anchoring = defaultAnchoring() }: FileAccessOptions): FileAccess {
  const tree = anchoring === 'descriptor' ? createDescriptorTree(root) : createRealpathTree(root);
  let writtenBytes = 0;

  const allow = (kind: FileAction['kind'], canonical: string): void => {
    const answer = permit({ kind, path: canonical });
    if (!answer.allowed) throw new FileProblem('refused', answer.reason, answer);
  };
  const segmentsOf = (path: string): readonly string[] => parsePath(path, { root, platform: process.platform });

  /** Finds, and asks about a missing path too: whether a file exists that may not be read is itself a secret. */
  const visit = <Found>(kind: FileAction['kind'], segments: readonly string[], use: (spot: Spot) => Found): Found => {
    const spot = tryFind(tree, segments, () => allow(kind, joinCanonical(rootSpot(root), segments)));
    try {
      return use(spot);
    } finally {
      tree.release(spot);
    }
  };

  const put = (path: string, text: string, mode: 'replace' | 'append'): FileResult =>
    attempt({ verb: mode === 'append' ? 'append to' : 'write', kind: 'write:fs', path }, () => {
      const segments = segmentsOf(path);
      const name = segments.at(-1);
      if (name === undefined) throw new FileProblem('is-a-directory', 'it is a directory, a file is wanted');
      const bytes = Buffer.from(text, 'utf8');
      const leftBytes = limits.maxTotalWriteBytes - writtenBytes;
      if (bytes.length > leftBytes) throw new FileProblem('too-large', `this call may write ${leftBytes} more bytes, not ${bytes.length}`);
      if (bytes.length > limits.maxFileBytes) throw new FileProblem('too-large', `it would be larger than ${limits.maxFileBytes} bytes`);
      return visit('write:fs', segments.slice(0, -1), (directory) => {
        if (directory.kind !== 'directory') throw new FileProblem('missing', 'a part of its path is not a directory');
        const canonical = joinCanonical(directory, [name]);
        allow('write:fs', canonical);
        writtenBytes += bytes.length;
        const allowOther = (found: string): void => (found === canonical ? undefined : allow('write:fs', found));
        writeBytes(tree, bytes, { directory, name, mode, maxFileBytes: limits.maxFileBytes, allow: allowOther });
        return {};
      });
    });

  return {
    readText: (path) =>
      attempt({ verb: 'read', kind: 'read:fs', path }, () =>
        visit('read:fs', segmentsOf(path), (spot) => {
          allow('read:fs', spot.canonical);
          requireKind(spot, 'file');
          return { text: readWholeText(tree, spot, limits.maxReadBytes) };
        }),
      ),
    write: (path, text) => put(path, text, 'replace'),
    append: (path, text) => put(path, text, 'append'),
    list: (path) =>
      attempt({ verb: 'list', kind: 'read:fs', path }, () =>
        visit('read:fs', segmentsOf(path), (spot) => {
          allow('read:fs', spot.canonical);
          requireKind(spot, 'directory');
          return listEntries(tree, spot, limits.maxEntries);
        }),
      ),
    createDirectory: (path) =>
      attempt({ verb: 'create', kind: 'write:fs', path }, () => {
        makeDirectories(tree, segmentsOf(path), (canonical) => allow('write:fs', canonical));
        return {};
      }),
    exists: (path) =>
      attempt({ verb: 'look for', kind: 'read:fs', path }, () => {
        const segments = segmentsOf(path);
        try {
          return visit('read:fs', segments, (spot) => (allow('read:fs', spot.canonical), { exists: true }));
        } catch (error) {
          if (isMissing(error)) return { exists: false };
          throw error;
        }
      }),
    close: () => tree.close(),
  };
}

const defaultAnchoring = (): 'descriptor' | 'realpath' => (process.platform === 'linux' ? 'descriptor' : 'realpath');

const rootSpot = (root: string): Spot => ({ canonical: root, kind: 'directory', bytes: 0, links: 1, reach: root, descriptor: undefined });

function tryFind(tree: Tree, segments: readonly string[], beforeMissing: () => void): Spot {
  try {
    return tree.find(segments);
  } catch (error) {
    if (isMissing(error)) beforeMissing();
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || (error instanceof FileProblem && error.why === 'missing');
}

function requireKind({ kind }: Spot, wanted: 'file' | 'directory'): void {
  if (kind === wanted) return;
  if (kind === 'directory') throw new FileProblem('is-a-directory', 'it is a directory, a file is wanted');
  if (wanted === 'directory') throw new FileProblem('not-a-directory', 'it is a file, a directory is wanted');
  throw new FileProblem('special-file', 'it is a FIFO, socket or device, a regular file is wanted');
}
