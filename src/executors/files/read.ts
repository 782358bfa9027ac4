import { isUtf8 } from 'node:buffer';
import { closeSync, readSync } from 'node:fs';

import { FileProblem } from './result.ts';
import { READ, type Spot, type Tree } from './tree.ts';

/** Reads a whole regular file; too large by its size or by what it grows to is the same problem. Throws FileProblem. */
export function readWholeText(tree: Tree, spot: Spot, maxBytes: number): string {
  if (spot.bytes > maxBytes) throw tooLarge(maxBytes);
  const descriptor = tree.open(spot, READ);
  try {
    const bytes = readUpTo(descriptor, { expectedBytes: spot.bytes, maxBytes });
    if (!isUtf8(bytes)) throw new FileProblem('not-utf8', 'it is not UTF-8 text');
    return bytes.toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}

function readUpTo(descriptor: number, { expectedBytes, maxBytes }: { expectedBytes: number; maxBytes: number }): Buffer {
  // One more than expected, so that the end is seen without another buffer.
  let buffer = Buffer.allocUnsafe(Math.min(expectedBytes, maxBytes) + 1);
  let filled = 0;
  for (;;) {
    const count = readSync(descriptor, buffer, filled, buffer.length - filled, null);
    if (count === 0) return buffer.subarray(0, filled);
    filled += count;
    if (filled > maxBytes) throw tooLarge(maxBytes);
    if (filled === buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(buffer.length * 2 + 4096, maxBytes + 1));
      buffer.copy(larger, 0, 0, filled);
      buffer = larger;
    }
  }
}

const tooLarge = (maxBytes: number): FileProblem => new FileProblem('too-large', `it is larger than ${maxBytes} bytes`);

export interface DirectoryListing {
  /** Sorted by their bytes, hidden ones included. */
  readonly names: readonly string[];
  /** Entries left out because their names are not UTF-8. */
  readonly skipped: number;
}

/** Lists a directory; one with more than `maxEntries` is a problem, for a list cut short would mislead. Throws FileProblem. */
export function listEntries(tree: Tree, spot: Spot, maxEntries: number): DirectoryListing {
  const directory = tree.openDirectory(spot);
  const found: Buffer[] = [];
  let skipped = 0;
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      if (found.length + skipped >= maxEntries) {
        throw new FileProblem('too-many-entries', `it has more than ${maxEntries} entries`);
      }
      // The directory was opened with the encoding `buffer`, which the types of readSync() don't follow.
      const name = entry.name as unknown as Buffer;
      if (isUtf8(name)) found.push(name);
      else skipped += 1;
    }
  } finally {
    directory.closeSync();
  }
  found.sort((one, other) => Buffer.compare(one, other));
  return { names: found.map((name) => name.toString('utf8')), skipped };
}
