import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path/posix';

import { reasonOf } from '../../../errors.ts';
import type { LiveEnds } from '../../executor.ts';
import type { RunDirectory } from '../../sandbox/sandbox.ts';
import { readProducedEntries, type ProducedEntry } from './produced-entries.ts';

export interface ProducedFilesOptions {
  /** The `files` member of the answer. */
  readonly files: unknown;
  /** Held, and nothing that could write to it lives any more. */
  readonly directory: RunDirectory;
  /** Where the script saw it. */
  readonly insidePath: string;
  readonly keep: LiveEnds['keep'];
}

const MIB = 1024 * 1024;
const MAX_FILE_BYTES = 64 * MIB;
const MAX_TOTAL_BYTES = 256 * MIB;
const MAX_SEGMENTS = 64;
const NO_FOLLOW = constants.O_NOFOLLOW;
/** A FIFO must not hold up the server (sandbox.md §D row 9). */
const READ_CALMLY = constants.O_RDONLY | NO_FOLLOW | constants.O_NONBLOCK;
const READ_DIRECTORY = constants.O_RDONLY | NO_FOLLOW | constants.O_DIRECTORY;

/**
 * Hands the files that an answer names to `keep`, one after the other. What cannot be kept is a warning, one sentence
 * each, and never a failure (kaizen.md, “Output”). Never rejects.
 */
export async function keepProducedFiles(options: ProducedFilesOptions): Promise<readonly string[]> {
  const { entries, warnings } = readProducedEntries(options.files);
  const refusals: string[] = [...warnings];
  let leftBytes = MAX_TOTAL_BYTES;
  for (const entry of entries) {
    const read = readProducedFile(entry, options, Math.min(MAX_FILE_BYTES, leftBytes));
    if (!read.ok) {
      refusals.push(`the file ${quote(entry.path)} was not kept: ${read.reason}`);
      continue;
    }
    leftBytes -= read.bytes.length;
    const { path, name = basename(path), ...rest } = entry;
    const answer = await options.keep({ name, ...rest, bytes: read.bytes });
    if (!answer.kept) refusals.push(`the file ${quote(path)} was not kept: ${answer.reason}`);
  }
  return refusals;
}

type FileReading = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly reason: string };

function readProducedFile(entry: ProducedEntry, { directory, insidePath }: ProducedFilesOptions, maxBytes: number): FileReading {
  const segments = toSegments(entry.path, [insidePath, directory.path]);
  if (!Array.isArray(segments)) return { ok: false, reason: segments.reason };
  try {
    return openBelow(directory.path, segments, (descriptor) => readRegularFile(descriptor, maxBytes));
  } catch (error) {
    return { ok: false, reason: describeError(error) };
  }
}

/** The segments of a path below the run directory, or why it is none. Backslashes and whatever else are part of a name. */
export function toSegments(path: string, bases: readonly string[]): string[] | { readonly reason: string } {
  if (path.includes('\0')) return { reason: 'its path holds a null byte' };
  const below = path.startsWith('/') ? tryBelow(path, bases) : path;
  if (below === undefined) return { reason: 'it lies outside of the run directory' };
  const segments = below.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) return { reason: 'its path holds "..", which is never followed' };
  if (segments.length === 0) return { reason: 'it is a directory' };
  if (segments.length > MAX_SEGMENTS) return { reason: `its path is deeper than ${MAX_SEGMENTS} directories` };
  return segments;
}

function tryBelow(path: string, bases: readonly string[]): string | undefined {
  const base = bases.find((one) => path === one || path.startsWith(`${one}/`));
  return base === undefined ? undefined : path.slice(base.length);
}

/** Opens one component after the other and follows no link; where descriptors have no names, by path. */
function openBelow<Result>(root: string, segments: readonly string[], use: (descriptor: number) => Result): Result {
  const opened: number[] = [];
  try {
    let reach = root;
    for (const [index, segment] of segments.entries()) {
      const isLast = index === segments.length - 1;
      const descriptor = openSync(`${reach}/${segment}`, isLast ? READ_CALMLY : READ_DIRECTORY);
      opened.push(descriptor);
      reach = process.platform === 'linux' ? `/proc/self/fd/${descriptor}` : `${reach}/${segment}`;
    }
    return use(opened.at(-1) ?? -1);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

function readRegularFile(descriptor: number, maxBytes: number): FileReading {
  const stats = fstatSync(descriptor);
  if (stats.isDirectory()) return { ok: false, reason: 'it is a directory' };
  if (!stats.isFile()) return { ok: false, reason: 'it is not a regular file' };
  if (stats.nlink !== 1) return { ok: false, reason: 'it has a second name, a hard link' };
  if (stats.size > maxBytes) {
    const limit =
      maxBytes < MAX_FILE_BYTES ? `the files of a call may have ${MAX_TOTAL_BYTES} bytes together` : `a file may have ${MAX_FILE_BYTES}`;
    return { ok: false, reason: `it has ${stats.size} bytes, ${limit}` };
  }
  const bytes = Buffer.allocUnsafe(stats.size);
  let filled = 0;
  while (filled < bytes.length) {
    const count = readSync(descriptor, bytes, filled, bytes.length - filled, filled);
    if (count === 0) break;
    filled += count;
  }
  return { ok: true, bytes: bytes.subarray(0, filled) };
}

/** The failures that a script can bring about, in words. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'something on its way is a file or a link',
  // With O_NOFOLLOW that is how open(2) names a link.
  ELOOP: 'it is a link, or one is on its way',
  EACCES: 'it cannot be opened',
  ENXIO: 'it is not a regular file',
  ENAMETOOLONG: 'its name is too long',
};

const describeError = (error: unknown): string => REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? reasonOf(error);

const MAX_QUOTED_CHARACTERS = 200;
const quote = (path: string): string =>
  JSON.stringify(path.length > MAX_QUOTED_CHARACTERS ? `${path.slice(0, MAX_QUOTED_CHARACTERS)}…` : path);
