import { join } from 'node:path';

import type { Plugin, ScriptRuntime } from '../../../manifest/plugin.ts';
import { LANGUAGE_TABLE } from '../languages/languages.ts';
import { tryReadRecord } from './installed-record.ts';
import { tryFindManager } from './package-managers.ts';

/**
 * The packages that a script declares, or that its lock names, and that are not installed as it does; as the source spells
 * them. Reads names and small files and runs nothing; a declaration that cannot be used is told when it is installed.
 */
export function findMissingDependencies(plugin: Pick<Plugin, 'directory'> & { readonly runtime: ScriptRuntime }): readonly string[] {
  const { directory, runtime } = plugin;
  const manager = tryFindManager(runtime.language);
  const found = manager?.readPlan(directory, runtime.dependencies);
  if (manager === undefined || found?.kind !== 'plan') return [];
  const { dependencyDirectory } = LANGUAGE_TABLE[runtime.language];
  const record = tryReadRecord(directory, dependencyDirectory);
  const isThere = manager.lookInto(join(directory, dependencyDirectory));
  // Without a record of ours somebody else has put the packages there, and their versions are theirs to know.
  const known = record && new Set(record.wanted);
  return found.plan.wanted
    .filter((wanted) => known?.has(wanted.spec) === false || (!wanted.optional && !isThere(wanted)))
    .map(({ spec }) => spec);
}
