import type { Journal } from '../audit/journal.ts';
import type { Plugin } from '../manifest/plugin.ts';
import type { GrantStore } from './grants.ts';

/** The grants of plugins, every change of them recorded in the audit. */
export interface GrantBook {
  /** Grows whenever an answer of `of` could differ from before. */
  version(): number;
  of(plugin: Plugin): readonly string[];
  /** Granted to an earlier content of the plugin and lost with it. */
  earlierOf(plugin: Plugin): readonly string[];
  /** Stores what a person granted. */
  add(plugin: Plugin, capabilities: readonly string[]): void;
  /** Takes back capabilities, or all of them when none are named; returns what was taken. `plugin` is an id. */
  remove(plugin: string, capabilities?: readonly string[]): readonly string[];
}

/** Joins the store and the journal, so that no grant comes or goes unrecorded. */
export function createGrantBook(store: GrantStore, journal: Journal): GrantBook {
  const holderOf = ({ id, digest }: Plugin): { plugin: string; digest: string } => ({ plugin: id, digest });
  return {
    version: () => store.version(),
    of: (plugin) => store.grantsFor(holderOf(plugin)).capabilities,
    earlierOf: (plugin) => store.grantsFor(holderOf(plugin)).earlier,
    add(plugin, capabilities) {
      journal.event({ event: 'granted', plugin: plugin.id, detail: { digest: plugin.digest, capabilities } });
      store.addGrant(holderOf(plugin), capabilities);
    },
    remove(plugin, capabilities) {
      const removed = store.removeGrant(plugin, capabilities);
      if (removed.length > 0) journal.event({ event: 'revoked', plugin, detail: { capabilities: removed } });
      return removed;
    },
  };
}
