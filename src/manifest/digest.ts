import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';

import { compareNames } from './directory-listing.ts';
import { readPluginFile } from './plugin-file.ts';

/** The most that one file of a plugin may have, its module included. */
export const MAX_FILE_BYTES = 32 * 1024 * 1024;

export type DigestResult =
  | {
      readonly ok: true;
      readonly digest: string;
      /** Relative path → hex SHA-256 of its bytes. */
      readonly files: Readonly<Record<string, string>>;
    }
  | { readonly ok: false; readonly file: string; readonly reason: string };

/**
 * The digest of files of a plugin: `sha256:<hex>`, the SHA-256 of the lines `<sha256 of the bytes>  <name>`, sorted by
 * name. `sha256sum PLUGIN.toml brain.wasm | sha256sum` prints the same. Reads regular files inside the directory only,
 * each at most 32 MiB; the first that cannot be read is named. `directory` is absolute and canonical.
 */
export function digestFiles(directory: string, files: readonly string[]): DigestResult {
  const hashes: [string, string][] = [];
  for (const file of files) {
    const read = readPluginFile(directory, file, MAX_FILE_BYTES);
    if (!read.ok) return { ok: false, file, reason: read.reason };
    hashes.push([file, sha256Hex(read.bytes)]);
  }
  const hashed = Object.fromEntries(hashes);
  return { ok: true, digest: digestOf(hashed), files: hashed };
}

/** The digest of files whose own hashes (hex) are known, by name; see `digestFiles`. */
export function digestOf(files: Readonly<Record<string, string>>): string {
  const names = Object.keys(files).sort(compareNames);
  return `sha256:${sha256Hex(names.map((name) => `${files[name]}  ${name}\n`).join(''))}`;
}

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Text that differs when a file was written, replaced, added or removed since: device, inode, size, and the times of
 * content and of inode in nanoseconds. Cheap, for caches; only a digest proves what bytes are there. The name `.` stands
 * for the directory itself, which changes when an entry is added or removed. Never throws.
 */
export function fingerprintFiles(directory: string, files: readonly string[]): string {
  return files.map((file) => `${file}\t${fingerprintFile(join(directory, file))}`).join('\n');
}

function fingerprintFile(path: string): string {
  try {
    // Times as numbers are exact to 0.3 µs, which is finer than file systems keep them, and cost half of what big integers do.
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats === undefined ? 'missing' : `${stats.dev} ${stats.ino} ${stats.mode} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
  } catch {
    return 'unreadable';
  }
}
