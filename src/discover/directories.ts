import { join, resolve } from 'node:path';

import type { Origin } from './origin.ts';
import type { PlaceBases } from '../manifest/format.ts';
import { FORMATS } from '../manifest/formats.ts';

/** Where plugins wait that clients have written, in our own data directory. */
export const PROPOSALS = 'proposals';

/** A directory that plugins are looked for in. */
export interface SearchDirectory {
  /** Absolute; not yet known to exist. */
  readonly path: string;
  readonly origin: Origin;
  /** How people know it: `--plugins`, `config`, or what it belongs to. */
  readonly source: string;
  /** Somebody named it, so that its absence is a problem; the usual places may be absent. */
  readonly named: boolean;
}

export interface SearchOptions {
  /** The directories of `--plugins`, in order; relative ones are taken from `workingDirectory`. */
  readonly flags: readonly string[];
  /** The directories that the user's configuration names, in order, absolute. */
  readonly config: readonly string[];
  /** The directories that a workspace's own configuration names, absolute: it cannot make them trusted. */
  readonly workspaceConfig?: readonly string[];
  readonly workingDirectory: string;
  readonly bases: PlaceBases;
  /** Our own data directory, `$XDG_DATA_HOME/plugbridge`. */
  readonly ownData: string;
}

/**
 * Where plugins are looked for, in the order in which the first registration of an id wins (DESIGN.md, “plugin
 * directories”): flags, config, the workspace's, the user's, the systems' own places. A path that comes twice keeps its
 * first place. Pure.
 */
export function searchDirectories(options: SearchOptions): readonly SearchDirectory[] {
  const { bases } = options;
  const places = Object.values(FORMATS).flatMap((format) =>
    format.places(bases).map(({ path, origin }) => ({ path, origin, source: format.title, named: false })),
  );
  const all: readonly SearchDirectory[] = [
    ...options.flags.map((path) => ({
      path: resolve(options.workingDirectory, path),
      origin: 'flag' as const,
      source: '--plugins',
      named: true,
    })),
    ...options.config.map((path) => ({ path, origin: 'config' as const, source: 'config', named: true })),
    ...(options.workspaceConfig ?? []).map((path) => ({ path, origin: 'workspace' as const, source: 'workspace config', named: true })),
    { path: join(bases.root, '.plugbridge', 'plugins'), origin: 'workspace', source: 'workspace', named: false },
    { path: join(options.ownData, 'plugins'), origin: 'user', source: 'user', named: false },
    ...places,
    // Last, so that a proposal never takes a name from what is there.
    { path: join(options.ownData, PROPOSALS), origin: 'proposed', source: 'proposals', named: false },
  ];
  const firstByPath = new Map<string, SearchDirectory>();
  for (const directory of all) {
    const path = resolve(directory.path);
    if (!firstByPath.has(path)) firstByPath.set(path, { ...directory, path });
  }
  return [...firstByPath.values()];
}
