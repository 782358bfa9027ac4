import type { Discovery } from '../discover/candidates.ts';
import { reasonOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Catalog, CatalogSource, PluginEntry } from './catalog.ts';
import { loadEntries, type LoadDeps } from './load.ts';
import { makeCatalog } from './make-catalog.ts';
import { watchDirectories, type DirectoryWatch } from './watch-directories.ts';

export interface LiveCatalogDeps extends LoadDeps {
  discover(): Discovery;
  /** Search directories that may appear later. */
  readonly watched: readonly string[];
  readonly log: Log;
}

export interface LiveCatalog extends CatalogSource {
  /** What the last search passed over. */
  discovery(): Discovery;
  /** Reads everything that changed; the catalog stays the same object when nothing did. */
  reload(): Catalog;
  /** Reloads once nobody has asked for it for a moment, for whoever finds that files are others than those that were read. */
  reloadSoon(): void;
  /** Reloads when files change; `onReload` hears of every reload that differed. */
  watch(onReload: (catalog: Catalog) => void): void;
  close(): Promise<void>;
}

/** Editors write in several steps; a reload waits until none came for this long. */
const SETTLE_MS = 120;
/** …but not for ever, when something writes all the time. */
const MAX_WAIT_MS = 2_000;

/** The catalog that follows the files. It is read on the first use. */
export function createLiveCatalog(deps: LiveCatalogDeps): LiveCatalog {
  const listeners = new Set<(catalog: Catalog) => void>();
  let discovery: Discovery | undefined;
  let catalog: Catalog | undefined;
  /** As they were read; those of the catalog may have further warnings. */
  let entries: readonly PluginEntry[] = [];
  let watcher: DirectoryWatch | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let waitingSinceMs = 0;
  let onReload: (catalog: Catalog) => void = () => {};

  const load = (): Catalog => {
    discovery = deps.discover();
    const before = entries;
    entries = loadEntries(discovery, deps, before);
    if (catalog && JSON.stringify(entries) === JSON.stringify(before)) return catalog;
    return makeCatalog(entries, catalog);
  };
  const current = (): Catalog => (catalog ??= load());

  const reload = (): Catalog => {
    const before = current();
    const after = load();
    if (after === before) return before;
    catalog = after;
    // Clients first: they must hear of the tools even if the reload cannot be recorded.
    if (after.generation !== before.generation) for (const listener of listeners) listener(after);
    onReload(after);
    return after;
  };

  const reloadSoon = (): void => {
    if (closed) return;
    const now = performance.now();
    if (timer === undefined) waitingSinceMs = now;
    else clearTimeout(timer);
    const delay = Math.min(SETTLE_MS, Math.max(0, waitingSinceMs + MAX_WAIT_MS - now));
    timer = setTimeout(() => {
      timer = undefined;
      try {
        reload();
      } catch (error) {
        deps.log.error({ reason: reasonOf(error) }, 'cannot reload the plugins');
      }
    }, delay);
  };

  return {
    current,
    discovery: () => {
      current();
      return discovery ?? deps.discover();
    },
    reload,
    reloadSoon,
    onToolsChanged(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    watch(listener) {
      onReload = listener;
      watcher ??= watchDirectories(deps.watched, {
        onChange: reloadSoon,
        onError: (error) => deps.log.warn({ reason: reasonOf(error) }, 'cannot watch a plugin directory'),
      });
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await watcher?.close();
    },
  };
}
