import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

import { readableReason } from './directory-listing.ts';

export type PluginFile =
  | {
      readonly ok: true;
      /** Relative to the plugin directory, symbolic links resolved, forward slashes. */
      readonly path: string;
      readonly bytes: Uint8Array;
    }
  | { readonly ok: false; readonly why: 'missing' | 'outside' | 'not-a-file' | 'too-large' | 'unreadable'; readonly reason: string };

/**
 * Reads one file of a plugin: a regular one, that lies in the plugin directory once symbolic links are resolved, of at
 * most `maxBytes`. `directory` is absolute and canonical. Never throws, and never hangs on a pipe or a device.
 */
export function readPluginFile(directory: string, name: string, maxBytes: number): PluginFile {
  let descriptor: number | undefined;
  try {
    const canonical = realpathSync.native(join(directory, name));
    if (!canonical.startsWith(directory.endsWith(sep) ? directory : directory + sep)) {
      return { ok: false, why: 'outside', reason: 'it is a symbolic link that leads out of the plugin directory' };
    }
    // The path is resolved, so a link as its last part was put there since; O_NONBLOCK is for pipes without a writer.
    descriptor = openSync(canonical, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return { ok: false, why: 'not-a-file', reason: 'it is not a regular file' };
    if (stats.size > maxBytes) return { ok: false, why: 'too-large', reason: `it has ${stats.size} bytes, more than ${maxBytes}` };
    const bytes = readUpTo(descriptor, stats.size, maxBytes);
    if (bytes === undefined) return { ok: false, why: 'too-large', reason: `it grew beyond ${maxBytes} bytes while it was read` };
    return { ok: true, path: relative(directory, canonical).split(sep).join('/'), bytes };
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    return { ok: false, why: missing ? 'missing' : 'unreadable', reason: missing ? 'it does not exist' : readableReason(error) };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Reads to the end whatever the size was said to be; undefined when the file has more than `maxBytes` by now. */
function readUpTo(descriptor: number, expectedBytes: number, maxBytes: number): Uint8Array | undefined {
  // One byte more than expected, so that the usual file is read in one call and the next one finds its end.
  let buffer = Buffer.allocUnsafe(expectedBytes + 1);
  let filled = 0;
  for (;;) {
    const count = readSync(descriptor, buffer, filled, buffer.length - filled, null);
    filled += count;
    if (filled > maxBytes) return undefined;
    if (count === 0) return buffer.subarray(0, filled);
    if (filled === buffer.length) buffer = Buffer.concat([buffer], Math.min(buffer.length * 2, maxBytes + 1));
  }
}
