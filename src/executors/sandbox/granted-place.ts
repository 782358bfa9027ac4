import { lstat, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';

import type { ExecutionPaths } from '../executor.ts';
import { isWithin, splitPath, type FileGrant } from './granted-path.ts';

/** What no grant opens. */
export interface Hiding {
  /** Whether the path with these segments below its anchor must not be read, or not be changed: keys, hooks and the like. */
  readonly isHidden: (segments: readonly string[], access: 'read' | 'write') => boolean;
  /** Our own directories: only the plugin’s own and the root are seen inside them. */
  readonly protectedDirectories: readonly string[];
}

/** The places of one call, canonical. */
export interface Places {
  readonly paths: ExecutionPaths;
  /** Ours, and those of the kernel and of services. */
  readonly closed: readonly string[];
  /** For temporary files of every program: what lies in them may be granted, they themselves not. */
  readonly temporary: readonly string[];
}

/** Services keep their sockets, and the kernel its own files, in these. */
const SYSTEM_STATE = ['/proc', '/dev', '/sys', '/run', '/var/run'];
const TEMPORARY = ['/tmp', '/var/tmp'];

/** Both spellings count where one of our directories is reached through a link. */
export async function findPlaces(paths: ExecutionPaths, hiding: Hiding): Promise<Places> {
  const spell = async (path: string): Promise<string[]> => [path, (await tryRealpath(path)) ?? path];
  const closed = await Promise.all([...hiding.protectedDirectories, ...SYSTEM_STATE].map(spell));
  const temporary = await Promise.all([...TEMPORARY, tmpdir()].map(spell));
  return { paths, closed: [...new Set(closed.flat())].sort(), temporary: [...new Set(temporary.flat())].sort() };
}

/** Whose a path is, by the innermost directory that holds it (`policy/protection.ts` judges the same). */
export function ownerOf(path: string, { paths, closed }: Places): 'plugin' | 'data' | 'closed' | 'other' {
  const length = (directories: readonly string[]): number =>
    Math.max(0, ...directories.filter((directory) => isWithin(path, directory)).map((directory) => directory.length));
  const data = length([paths.data]);
  const plugin = length([paths.plugin]);
  const ours = length(closed);
  const innermost = Math.max(data, plugin, ours, length([paths.root]));
  if (innermost === 0) return 'other';
  if (data === innermost) return 'data';
  if (plugin === innermost) return 'plugin';
  return ours === innermost ? 'closed' : 'other';
}

/** Whether names on the way from its anchor, the root or `/`, keep a path from being read or changed. */
export function isNamedHidden(path: string, access: 'read' | 'write', { root, hiding }: { root: string; hiding: Hiding }): boolean {
  return hiding.isHidden(splitPath(isWithin(path, root) ? path.slice(root.length) : path), access);
}

/** Why a path can never be shown or made writable, whoever granted it; undefined when it can. */
export async function findObstacle({ path, access }: FileGrant, places: Places, hiding: Hiding): Promise<string | undefined> {
  if (path === '/') return 'the whole file system is never shown';
  const real = await tryRealpath(path);
  if (real === undefined) return 'there is no such file or directory';
  if (real !== path) return `it leads through a link to "${real}", and only that can be shown`;
  const stat = await lstat(path);
  if (!stat.isDirectory() && !stat.isFile()) return 'it is neither a file nor a directory';
  if (places.temporary.includes(path)) return 'other programs keep their sockets and files there; a directory inside it can be shown';
  const owner = ownerOf(path, places);
  if (owner === 'closed') return 'it belongs to the system or to plugbridge itself';
  if (owner === 'plugin' && access === 'write') return 'a plugin cannot change its own files';
  if (owner !== 'other') return undefined;
  const anchor = { root: places.paths.root, hiding };
  if (isNamedHidden(path, 'read', anchor)) return 'what has such a name is never read by plugins';
  if (access === 'write' && isNamedHidden(path, 'write', anchor)) return 'what has such a name is never changed by plugins';
  return undefined;
}

async function tryRealpath(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch {
    return undefined;
  }
}
