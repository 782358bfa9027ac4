import { chmodSync, lchownSync, lstatSync, opendirSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { quoted } from './dependency-plan.ts';

export interface TreeLimits {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

export type TreeResult =
  | { readonly ok: true; readonly bytes: number; readonly entries: number }
  | { readonly ok: false; readonly reason: string };

const DIRECTORY_MODE = 0o755;
const FILE_MODE = 0o644;
const ANY_EXECUTE = 0o111;
const PERMISSION_BITS = 0o7777;

/**
 * Checks what a package manager has left, once nothing of it runs: regular files, directories and links that stay inside,
 * within the limits. What stays becomes ours, readable for everybody, and loses setuid bits and the like. Never throws for
 * anything in the tree.
 */
export function adoptTree(root: string, { maxBytes, maxEntries }: TreeLimits): TreeResult {
  let bytes = 0;
  let entries = 0;
  for (let rest = [root]; rest.length > 0;) {
    const path = rest.pop() ?? root;
    entries += 1;
    if (entries > maxEntries) return { ok: false, reason: `the packages have more than ${maxEntries} files and directories` };
    const stats = lstatSync(path);
    const problem = findProblem(root, path, stats);
    if (problem !== undefined) return { ok: false, reason: `the packages have ${quoted(path.slice(root.length + 1))}, ${problem}` };
    adopt(path, stats);
    if (stats.isFile()) bytes += stats.size;
    if (bytes > maxBytes) return { ok: false, reason: `the packages have more than ${maxBytes} bytes` };
    if (!stats.isDirectory()) continue;
    const names = tryListNames(path, maxEntries - entries);
    if (names === undefined) return { ok: false, reason: `the packages have more than ${maxEntries} files and directories` };
    rest.push(...names.map((name) => join(path, name)));
  }
  return { ok: true, bytes, entries };
}

function findProblem(root: string, path: string, stats: Stats): string | undefined {
  if (stats.isDirectory() || stats.isFile()) return undefined;
  if (!stats.isSymbolicLink()) return 'which is neither a file nor a directory';
  if (path === root) return 'which is a link';
  const target = readlinkSync(path);
  const end = resolve(dirname(path), target);
  return target.startsWith('/') || !`${end}/`.startsWith(`${root}/`) ? 'a link that leads out of them' : undefined;
}

function adopt(path: string, stats: Stats): void {
  const uid = process.getuid?.();
  if (uid !== undefined && stats.uid !== uid) lchownSync(path, uid, process.getgid?.() ?? stats.gid);
  if (stats.isSymbolicLink()) return;
  const mode = stats.isDirectory() ? DIRECTORY_MODE : FILE_MODE | ((stats.mode & 0o100) === 0 ? 0 : ANY_EXECUTE);
  if ((stats.mode & PERMISSION_BITS) !== mode || stats.uid !== uid) chmodSync(path, mode);
}

/** Undefined when there are more than `max`: not even their names are then all read. */
function tryListNames(directory: string, max: number): readonly string[] | undefined {
  const handle = opendirSync(directory);
  try {
    const names: string[] = [];
    for (let entry = handle.readSync(); entry !== null; entry = handle.readSync()) {
      if (names.length === max) return undefined;
      names.push(entry.name);
    }
    return names;
  } finally {
    handle.closeSync();
  }
}
