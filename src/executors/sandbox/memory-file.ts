import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeTemporaryDirectory } from './temporary-directory.ts';

/** Bytes that a child process inherits as a descriptor, without a file that anyone could change. */
export interface MemoryFile {
  /** A new descriptor that reads from the beginning; the caller closes it. */
  open(): number;
  close(): void;
}

/**
 * Writes the bytes to a file and unlinks it. Linux only: `/proc/self/fd` opens an unlinked file anew, and each opening
 * has its own position, so that many children can read it at once, those of other users too.
 */
export function createMemoryFile(bytes: Uint8Array | string): MemoryFile {
  const directory = makeTemporaryDirectory();
  try {
    const path = join(directory, 'data');
    writeFileSync(path, bytes, { mode: 0o444, flag: 'wx' });
    const descriptor = openSync(path, 'r');
    return { open: () => openSync(`/proc/self/fd/${descriptor}`, 'r'), close: () => closeSync(descriptor) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
