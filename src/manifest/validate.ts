import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';

import { listDirectory, readableReason } from './directory-listing.ts';
import { MAX_PLUGIN_ENTRIES } from './format.ts';
import { explainUnrecognised, knownManifestNames, readManifest, tryRecognise } from './formats.ts';
import type { Plugin } from './plugin.ts';
import { formatProblem } from './problem.ts';

/** What a look at a plugin's contents, beyond its manifest, found. */
export type ContentCheck =
  | { readonly ok: true; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

export interface ValidateOptions {
  /** Further checks of a plugin whose manifest is right, such as its runtime's inspection of the module. */
  readonly checks?: readonly ((plugin: Plugin) => ContentCheck)[];
}

/** Everything that is to be said about one plugin directory; usable exactly when `problems` is empty. */
export interface Validation {
  /** Canonical where it exists. */
  readonly directory: string;
  readonly system?: string;
  readonly plugin?: Plugin;
  /** One sentence each. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Checks one plugin directory without running anything of it. `directory` may be relative. Never throws. */
export function validateDirectory(directory: string, options: ValidateOptions = {}): Validation {
  let canonical = resolve(directory);
  const refuse = (problem: string): Validation => ({ directory: canonical, problems: [`${canonical}: ${problem}`], warnings: [] });
  try {
    canonical = realpathSync(canonical);
  } catch (error) {
    return refuse(`cannot be read: ${readableReason(error)}`);
  }
  const listing = listDirectory(canonical, MAX_PLUGIN_ENTRIES);
  if (!listing.ok) return refuse(`cannot be read: ${listing.reason}`);
  const looked = { directory: canonical, names: listing.entries.map((entry) => entry.name) };
  const recognised = tryRecognise(looked);
  if (recognised === undefined) {
    return refuse(`holds no plugin: ${explainUnrecognised(looked) ?? `wanted a manifest (${knownManifestNames().join(', ')})`}`);
  }

  const { system } = recognised;
  const reading = readManifest(recognised);
  if (!reading.ok) {
    return { directory: canonical, system, problems: reading.problems.map(formatProblem), warnings: reading.warnings.map(formatProblem) };
  }
  const { plugin } = reading;
  const checked = (options.checks ?? []).map((check) => check(plugin));
  return {
    directory: canonical,
    system,
    plugin,
    problems: checked.flatMap((found) => (found.ok ? [] : found.problems)),
    warnings: [...plugin.warnings, ...checked.flatMap((found) => (found.ok ? found.warnings : []))],
  };
}
