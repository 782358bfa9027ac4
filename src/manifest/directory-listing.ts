import { opendirSync, type Dirent } from 'node:fs';

import { reasonOf } from '../errors.ts';

export interface ListedEntry {
  readonly name: string;
  readonly kind: 'directory' | 'file' | 'symlink' | 'other';
}

export type DirectoryListing =
  | { readonly ok: true; readonly entries: readonly ListedEntry[] }
  | { readonly ok: false; readonly reason: string };

/** What one directory holds, sorted by the bytes of the names; not even one entry past `maxEntries` is read. Never throws. */
export function listDirectory(directory: string, maxEntries: number): DirectoryListing {
  try {
    const handle = opendirSync(directory, { bufferSize: 1024 });
    try {
      const entries: ListedEntry[] = [];
      for (let entry = handle.readSync(); entry !== null; entry = handle.readSync()) {
        if (entries.length === maxEntries) return { ok: false, reason: `it holds more than ${maxEntries} entries` };
        entries.push({ name: entry.name, kind: kindOf(entry) });
      }
      entries.sort((a, b) => compareNames(a.name, b.name));
      return { ok: true, entries };
    } finally {
      handle.closeSync();
    }
  } catch (error) {
    return { ok: false, reason: readableReason(error) };
  }
}

/** Orders names by their UTF-8 bytes: the same everywhere, whatever the locale. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** A file system error in words; paths are left out because the sentence around it names them. */
export function readableReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'ENOTDIR') return 'it is not a directory';
  if (code === 'EACCES' || code === 'EPERM') return 'permission is denied';
  if (code === 'ELOOP') return 'it is a symbolic link that leads nowhere';
  if (code === 'ENAMETOOLONG') return 'its name is too long';
  return typeof code === 'string' ? `the system answers ${code}` : reasonOf(error);
}

function kindOf(entry: Dirent): ListedEntry['kind'] {
  if (entry.isDirectory()) return 'directory';
  if (entry.isFile()) return 'file';
  return entry.isSymbolicLink() ? 'symlink' : 'other';
}
