import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { PluginEntry, Tool } from '../catalog/catalog.ts';
import { makeCatalog } from '../catalog/make-catalog.ts';
import { createAuthority, type AuthorityDeps } from '../dispatch/authority.ts';
import { createDispatch, type DispatchDeps } from '../dispatch/call.ts';
import type { Dispatch } from '../dispatch/outcome.ts';
import type { Limits, Plugin } from '../manifest/plugin.ts';
import type { GrantBook } from '../trust/grant-book.ts';

/** All that a call goes through, but for the plugins: policy, queue, executors, journal and artifacts are those of every call. */
export interface TrialDeps extends Omit<DispatchDeps, 'catalog' | 'authority'>, Pick<AuthorityDeps, 'policy' | 'protectedDirectories'> {
  capLimits(limits: Limits): Limits;
  /** Where data directories of trials lie while they last; made with mode 0700. */
  readonly directory: string;
}

/** One plugin and a dispatch for it alone. */
export interface OpenTrial {
  readonly tools: readonly Tool[];
  /** Commands that are no tools, and why. */
  readonly warnings: readonly string[];
  readonly dispatch: Dispatch;
  /** Removes what the plugin kept. */
  close(): void;
}

/** What a killed process left is removed after that. */
const LEFTOVER_MS = 3_600_000;

/**
 * Opens a plugin that need not be in the catalog for trial runs. It gets an empty data directory of its own, so that a trial
 * never touches what a plugin of the same name has kept. `grants` is whose grants hold.
 */
export function openTrial(deps: TrialDeps, plugin: Plugin, grants: GrantBook): OpenTrial {
  removeLeftovers(deps.directory);
  const data = join(deps.directory, randomUUID());
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const pathsOf: DispatchDeps['pathsOf'] = (one) => ({ ...deps.pathsOf(one), data });
  const entry: PluginEntry = {
    name: plugin.name,
    system: plugin.system,
    directory: plugin.directory,
    origin: 'flag',
    status: 'ok',
    plugin: { ...plugin, limits: deps.capLimits(plugin.limits) },
    callable: true,
    warnings: [],
  };
  const catalog = makeCatalog([entry]);
  const authority = createAuthority({ ...deps, grants, pathsOf });
  return {
    tools: catalog.tools,
    warnings: catalog.entries.flatMap((one) => one.warnings),
    dispatch: createDispatch({
      ...deps,
      catalog: { current: () => catalog, onToolsChanged: () => () => {} },
      authority,
      grants,
      pathsOf,
      areLast: true,
    }),
    close: () => rmSync(data, { recursive: true, force: true }),
  };
}

/** Nothing is granted in it, and nothing can be. */
export const NO_GRANTS: GrantBook = {
  version: () => 0,
  of: () => [],
  earlierOf: () => [],
  add: () => {},
  remove: () => [],
};

function removeLeftovers(directory: string): void {
  try {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (Date.now() - statSync(path).mtimeMs > LEFTOVER_MS) rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // There is no such directory yet, or another process removes the same.
  }
}
