import { hash } from 'node:crypto';
import { closeSync, constants, fchmodSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { MAX_LINE_BYTES, tryOpenLine } from './line.ts';
import type { Torn } from './record.ts';

const DAY_FILE = /^(\d{4}-\d\d-\d\d)\.jsonl$/;

/** The file that a record of this time belongs to: one per UTC day. */
export const dayOf = (time: string): string => time.slice(0, 10);
export const dayFileName = (day: string): string => `${day}.jsonl`;
export const tryDayOfFile = (name: string): string | undefined => DAY_FILE.exec(name)?.[1];

/** The days that have a journal file, oldest first. Throws the system’s error when the directory cannot be read. */
export function listDays(directory: string): string[] {
  return readdirSync(directory)
    .flatMap((name) => tryDayOfFile(name) ?? [])
    .toSorted();
}

/** A journal file open for appending. */
export interface DayFile {
  readonly day: string;
  readonly path: string;
  readonly descriptor: number;
  readonly inode: number;
  readonly device: number;
  /** What an earlier writer left unfinished at its end. */
  readonly torn: Torn | undefined;
}

/**
 * Opens, or makes with mode 0600, the file of a day. `O_APPEND` makes each write one piece among several processes.
 * Throws the system’s error; does not make the directory.
 */
export function openDayFile(directory: string, day: string): DayFile {
  const path = join(directory, dayFileName(day));
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;
  // A link or a pipe in the place of the file must not lead the journal elsewhere or hang the server.
  const descriptor = openSync(path, O_RDWR | O_APPEND | O_CREAT | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0), 0o600);
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new Error(`it must be a regular file`);
    if ((status.mode & 0o077) !== 0) fchmodSync(descriptor, 0o600);
    return { day, path, descriptor, inode: status.ino, device: status.dev, torn: findTorn(readTail(descriptor, status.size)) };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Whether the path still names the open file: a deleted or replaced one would swallow records unseen. */
export function isInPlace(file: DayFile): boolean {
  const there = statSync(file.path, { throwIfNoEntry: false });
  return there !== undefined && there.ino === file.inode && there.dev === file.device;
}

/** The hash of the last whole record of the newest file that has one; null when there is none. */
export function findLastHash(directory: string): string | null {
  for (const day of listDays(directory).toReversed()) {
    const descriptor = openSync(join(directory, dayFileName(day)), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      const lines = splitLines(readTail(descriptor, fstatSync(descriptor).size));
      for (const line of lines.toReversed()) {
        const opened = tryOpenLine(line);
        if (opened !== undefined) return opened.hash;
      }
    } finally {
      closeSync(descriptor);
    }
  }
  return null;
}

/** Room for two lines, so that a torn last one does not hide the whole one before it. */
function readTail(descriptor: number, size: number): Buffer {
  const length = Math.min(size, 2 * MAX_LINE_BYTES);
  const tail = Buffer.alloc(length);
  return tail.subarray(0, readSync(descriptor, tail, 0, length, size - length));
}

function findTorn(tail: Buffer): Torn | undefined {
  const fragment = tail.subarray(tail.lastIndexOf(0x0a) + 1);
  return fragment.length === 0 ? undefined : { bytes: fragment.length, digest: hash('sha256', fragment, 'hex') };
}

function splitLines(tail: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0, to = tail.indexOf(0x0a); to !== -1; from = to + 1, to = tail.indexOf(0x0a, from)) lines.push(tail.subarray(from, to));
  return lines;
}
