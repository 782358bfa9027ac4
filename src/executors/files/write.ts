import { closeSync, fstatSync, ftruncateSync, writeSync } from 'node:fs';

import { errnoOf, FileProblem } from './result.ts';
import { APPEND, type Spot, type Tree, WRITE } from './tree.ts';

export interface WriteTarget {
  readonly directory: Spot;
  readonly name: string;
  readonly mode: 'replace' | 'append';
  /** Size that the file may reach. */
  readonly maxFileBytes: number;
  /** Throws FileProblem when the canonical path may not be written. */
  readonly allow: (canonical: string) => void;
}

/**
 * Writes bytes to one name in a directory: a new file, or an existing regular file with one name (sandbox.md §D rows
 * 5 and 8). Nothing is truncated before everything has been verified. Throws FileProblem.
 */
export function writeBytes(tree: Tree, bytes: Buffer, target: WriteTarget): void {
  const descriptor = openTarget(tree, target);
  try {
    const before = target.mode === 'append' ? fstatSync(descriptor).size : 0;
    if (before + bytes.length > target.maxFileBytes) {
      throw new FileProblem('too-large', `it would be larger than ${target.maxFileBytes} bytes`);
    }
    if (target.mode === 'replace') ftruncateSync(descriptor, 0);
    writeFully(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
}

/** Once more when the name came or went in between; twice is somebody’s game. */
const MAX_ATTEMPTS = 2;

function openTarget(tree: Tree, target: WriteTarget): number {
  const flags = WRITE | (target.mode === 'append' ? APPEND : 0);
  for (let attempts = 1; ; attempts += 1) {
    try {
      const existing = tree.findEntry(target.directory, target.name);
      return existing ? openExisting(tree, existing, { ...target, flags }) : tree.create(target.directory, target.name, flags);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      if (attempts === MAX_ATTEMPTS) throw new FileProblem('moved', 'it comes and goes while it is being opened');
    }
  }
}

function openExisting(tree: Tree, existing: Spot, { allow, flags }: WriteTarget & { flags: number }): number {
  try {
    requireSoleFile(existing);
    allow(existing.canonical);
    return tree.open(existing, flags);
  } finally {
    tree.release(existing);
  }
}

function requireSoleFile({ kind, links }: Spot): void {
  if (kind === 'symlink') throw new FileProblem('symlink', 'it is a symlink, and writing does not follow one');
  if (kind === 'directory') throw new FileProblem('is-a-directory', 'it is a directory, a file is wanted');
  if (kind === 'special') throw new FileProblem('special-file', 'it is a FIFO, socket or device, a regular file is wanted');
  if (links !== 1) throw new FileProblem('hard-link', `it has ${links} names, and only a file with one is written`);
}

function writeFully(descriptor: number, bytes: Buffer): void {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(descriptor, bytes, written, bytes.length - written, null);
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    throw new FileProblem('io-error', `the operating system answered ${code} after ${written} of ${bytes.length} bytes`);
  }
}
