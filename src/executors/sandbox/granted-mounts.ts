import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { ExecutionPaths } from '../executor.ts';
import { isWithin, parseFileGrant, type FileGrant } from './granted-path.ts';
import { findObstacle, findPlaces, isNamedHidden, ownerOf, type Hiding, type Places } from './granted-place.ts';
import { findHidden } from './hidden-files.ts';
import type { SandboxMount } from './sandbox.ts';

export type { Hiding } from './granted-place.ts';

export interface GrantedMountsOptions {
  /** Capability strings; only those that name files are looked at. */
  readonly permissions: readonly string[];
  readonly paths: ExecutionPaths;
  readonly hiding: Hiding;
}

export type GrantedMounts =
  | { readonly ok: true; readonly mounts: readonly SandboxMount[] }
  /** One sentence that begins with the capability. */
  | { readonly ok: false; readonly reason: string };

/**
 * What the files that a call may use look like from inside: the plugin’s directory read-only, its data writable, each granted
 * path at its own place, sensitive names in them covered, names that may not be changed read-only where the rest is writable,
 * and our own directories covered. Writing includes reading. Parents come first; equal input gives equal mounts. The plugin’s
 * and the data directory must exist. A sensitive name that is made later is not covered (`hidden-files.ts`).
 */
export async function toGrantedMounts({ permissions, paths, hiding }: GrantedMountsOptions): Promise<GrantedMounts> {
  const places = await findPlaces(paths, hiding);
  const grants: FileGrant[] = [];
  for (const text of [...new Set(permissions)].sort()) {
    const parsed = parseFileGrant(text, paths);
    if (parsed.kind === 'refused') return { ok: false, reason: parsed.reason };
    if (parsed.kind === 'none') continue;
    const obstacle = await findObstacle(parsed.grant, places, hiding);
    if (obstacle !== undefined) return { ok: false, reason: `${text}: ${obstacle}` };
    if (ownerOf(parsed.grant.path, places) === 'other') grants.push(parsed.grant);
  }

  const closed = closedWithin([paths.plugin, ...grants.map(({ path }) => path)], places);
  const shown = grants.filter((grant) => !isWrittenThrough(grant, grants, closed));
  const covers = [...closed, ...rootWithinPlugin(paths, shown)].map((path) => mount(path, 'none'));
  const sealed: SandboxMount[] = [];
  const pins: SandboxMount[] = [];
  for (const grant of shown) {
    const found = await searchNames(grant, shown, { places, hiding, closed });
    if (!found.ok) return { ok: false, reason: `${grant.text}: what is sensitive in it cannot be hidden, for ${found.reason}` };
    covers.push(...found.hidden.map((path) => mount(path, 'none')));
    sealed.push(...found.sealed.map((path) => mount(path, 'read')));
    if (grant.access === 'write')
      pins.push(...directoriesAbove([...found.hidden, ...found.sealed], grant.path).map((path) => mount(path, 'write')));
  }
  if (pins.length > MAX_PINS)
    return {
      ok: false,
      reason: `sensitive names lie in more than ${MAX_PINS} directories of what is granted for writing; grant less of it`,
    };
  const granted = [...pins, ...shown.map(({ path, access }) => mount(path, access))];
  return { ok: true, mounts: layerMounts({ granted, sealed, covers, own: [mount(paths.plugin, 'read'), mount(paths.data, 'write')] }) };
}

const MAX_PINS = 1000;

/**
 * The directories on the way to what is hidden or sealed, without it and what lies in it. Each becomes a mount, which nobody
 * can rename: under another name of a directory above, a name such as `.aws/credentials` would not be found by the next call.
 */
function directoriesAbove(paths: readonly string[], top: string): string[] {
  const above = new Set<string>();
  for (const path of paths) for (let at = dirname(path); isWithin(at, top) && at !== top; at = dirname(at)) above.add(at);
  return [...above].filter((directory) => !paths.some((path) => isWithin(directory, path)));
}

const mount = (path: string, access: SandboxMount['access']): SandboxMount => ({ source: path, target: path, access });

/** Directories that nobody is shown and that lie inside of shown ones, by their canonical paths. */
function closedWithin(shown: readonly string[], { closed, temporary }: Places): string[] {
  return [...closed, ...temporary].filter(
    (path) => shown.some((directory) => path !== directory && isWithin(path, directory)) && existsSync(path) && realpathSync(path) === path,
  );
}

/** Whether a path that is granted for reading can be written all the same, by another grant around it. */
const isWrittenThrough = (grant: FileGrant, grants: readonly FileGrant[], closed: readonly string[]): boolean =>
  grant.access === 'read' &&
  grants.some(
    ({ access, path }) =>
      access === 'write' && isWithin(grant.path, path) && !closed.some((inner) => isWithin(inner, path) && isWithin(grant.path, inner)),
  );

/** A root inside of the plugin’s directory is not the plugin’s own, and stays unseen until it is granted. */
const rootWithinPlugin = ({ root, plugin }: ExecutionPaths, grants: readonly FileGrant[]): string[] =>
  root !== plugin && isWithin(root, plugin) && !grants.some(({ path }) => isWithin(root, path)) ? [root] : [];

interface SearchOptions {
  readonly places: Places;
  readonly hiding: Hiding;
  readonly closed: readonly string[];
}
type Names =
  | { readonly ok: true; readonly hidden: readonly string[]; readonly sealed: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** Sensitive names below one granted path, but for what other mounts show. `sealed` may be read and not changed. */
async function searchNames(grant: FileGrant, grants: readonly FileGrant[], { places, hiding, closed }: SearchOptions): Promise<Names> {
  const anchor = { root: places.paths.root, hiding };
  const search = (access: 'read' | 'write') =>
    findHidden(grant.path, {
      isHidden: (segments) => isNamedHidden(join(grant.path, ...segments), access, anchor),
      isPassedOver: (segments) => {
        const path = join(grant.path, ...segments);
        return closed.includes(path) || grants.some((other) => other.path === path) || ownerOf(path, places) !== 'other';
      },
    });
  const hidden = await search('read');
  if (!hidden.ok) return hidden;
  const sealed = grant.access === 'write' ? await search('write') : undefined;
  if (sealed?.ok === false) return sealed;
  const own = (path: string): boolean => ownerOf(path, places) === 'other';
  return {
    ok: true,
    hidden: [...hidden.paths.files, ...hidden.paths.directories].filter(own),
    sealed: sealed ? [...sealed.paths.files, ...sealed.paths.directories].filter(own) : [],
  };
}

/** Later ones win where two have the same target. */
export interface MountLayers {
  readonly granted: readonly SandboxMount[];
  /** Only take away: the right to write, or everything. */
  readonly sealed?: readonly SandboxMount[];
  readonly covers?: readonly SandboxMount[];
  readonly own?: readonly SandboxMount[];
}

/**
 * One mount for each target, parents before what lies in them. What only takes away is left out where the cover around it has
 * taken everything already.
 */
export function layerMounts({ granted, sealed = [], covers = [], own = [] }: MountLayers): SandboxMount[] {
  const byTarget = new Map([...granted, ...sealed, ...covers, ...own].map((one) => [one.target, one]));
  const takesAway = new Set([...sealed, ...covers]);
  const sorted = [...byTarget.values()].sort((one, other) => compareTargets(one.target, other.target));
  return sorted.filter((one) => {
    const around = sorted.findLast(({ target }) => target !== one.target && isWithin(one.target, target));
    return !takesAway.has(one) || around?.access !== 'none';
  });
}

/** By depth, then by name: independent of the order in which directories list their entries. */
function compareTargets(one: string, other: string): number {
  const depth = one.split('/').length - other.split('/').length;
  if (depth !== 0) return depth;
  return one < other ? -1 : one > other ? 1 : 0;
}
