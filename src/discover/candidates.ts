import { realpathSync, statSync } from 'node:fs';
import { join, parse } from 'node:path';

import { isForeign, type Origin } from './origin.ts';
import { HostError } from '../errors.ts';
import { listDirectory, readableReason, type ListedEntry } from '../manifest/directory-listing.ts';
import { MAX_PLUGIN_ENTRIES } from '../manifest/format.ts';
import {
  explainUnrecognised,
  knownManifestNames,
  tryRecognise,
  tryRecogniseAlone,
  tryRecogniseManifest,
  type RecognisedDirectory,
} from '../manifest/formats.ts';
import { nearestName } from '../manifest/nearest-name.ts';
import { quote } from '../manifest/problem.ts';
import type { SearchDirectory } from './directories.ts';

/** A directory that holds a plugin of a known system; its manifest has not been read. */
export interface Candidate extends RecognisedDirectory {
  readonly origin: Origin;
  /** How people know the search directory it was found in. */
  readonly source: string;
}

/** What was passed over, and why, in one sentence fragment; for `doctor`. */
export interface SkippedDirectory {
  /** Or a file, where that is what somebody may have taken for a plugin. */
  readonly directory: string;
  readonly reason: string;
}

export interface Discovery {
  /** In the order of the search directories, then by name; no directory twice. */
  readonly candidates: readonly Candidate[];
  readonly skipped: readonly SkippedDirectory[];
  /** Search directories that could not be read. */
  readonly problems: readonly HostError<'DISCOVER_UNREADABLE'>[];
  /** The canonical search directories that exist: what a watcher watches. */
  readonly searched: readonly string[];
}

/** A directory full of scripts is told by some of them. */
const MAX_BARE_FILES = 20;

export interface DiscoverOptions {
  /** Directories in one search directory, 5,000 by default; one with more is a mistake or an attack, and is not looked through. */
  readonly maxPlugins?: number;
  /** What was recognised in a directory before, if no entry of it was added, removed or renamed since; spares listing it. */
  readonly recall?: ((directory: string) => RecognisedDirectory | undefined) | undefined;
}

/** Finds the plugin directories in the search directories. Reads names, and of manifests what tells their system; never throws. */
export function discoverCandidates(
  directories: readonly SearchDirectory[],
  { maxPlugins = 5_000, recall }: DiscoverOptions = {},
): Discovery {
  const candidates = new Map<string, Candidate>();
  const skipped = new Map<string, SkippedDirectory>();
  const problems: HostError<'DISCOVER_UNREADABLE'>[] = [];
  const searched = new Set<string>();
  for (const search of directories) {
    const problem = (reason: string): void => {
      problems.push(new HostError('DISCOVER_UNREADABLE', { directory: search.path, reason }));
    };
    const directory = tryCanonical(search, problem);
    if (directory === undefined) continue;
    const listing = listDirectory(directory, MAX_PLUGIN_ENTRIES);
    if (!listing.ok) {
      problem(listing.reason);
      continue;
    }
    searched.add(directory);
    for (const found of lookThrough(directory, listing.entries, { ...search, maxPlugins, problem, recall })) {
      if ('reason' in found) skipped.set(found.directory, found);
      else register(candidates, { ...found, origin: search.origin, source: search.source });
    }
  }
  return { candidates: [...candidates.values()], skipped: [...skipped.values()], problems, searched: [...searched] };
}

/** A directory keeps its first place, unless that was a workspace's: naming a person's plugin must not take its trust away. */
function register(candidates: Map<string, Candidate>, candidate: Candidate): void {
  const before = candidates.get(candidate.directory);
  if (before !== undefined && (!isForeign(before.origin) || isForeign(candidate.origin))) return;
  candidates.delete(candidate.directory);
  candidates.set(candidate.directory, candidate);
}

/** The plugin that a search directory is itself, or those in it. */
function lookThrough(
  directory: string,
  entries: readonly ListedEntry[],
  options: Pick<DiscoverOptions, 'recall'> & {
    readonly origin: Origin;
    readonly named: boolean;
    readonly maxPlugins: number;
    readonly problem: (reason: string) => void;
  },
): readonly (RecognisedDirectory | SkippedDirectory)[] {
  const itself = { directory, names: entries.map((entry) => entry.name) };
  const own = tryRecogniseManifest(itself);
  if (own !== undefined) return [own];
  const children = entries.filter((entry) => mayHoldPlugin(entry));
  if (children.length > options.maxPlugins) {
    options.problem(`it holds ${children.length} directories, more than ${options.maxPlugins}`);
    return [];
  }
  const found = children.flatMap((entry) => lookInto(directory, entry, options) ?? []);
  if (found.some((one) => !('reason' in one))) return [...found, ...findBareFiles(directory, entries)];
  // Only where somebody named it: a file that was put into a usual place must not make one plugin of all of it.
  const alone = options.named ? tryRecogniseAlone(itself) : undefined;
  return alone === undefined ? [...found, ...findBareFiles(directory, entries)] : [alone];
}

/** Files that would be plugins in directories of their own. */
function findBareFiles(directory: string, entries: readonly ListedEntry[]): readonly SkippedDirectory[] {
  const bare = entries.flatMap(({ name, kind }): SkippedDirectory[] => {
    const stem = parse(name).name;
    if (kind !== 'file' || /[\p{Cc}\p{Cf}]/u.test(name)) return [];
    if (tryRecogniseAlone({ directory: join(directory, stem), names: [name] }) === undefined) return [];
    return [{ directory: join(directory, name), reason: `a script lies in a directory of its own: wanted is ${join(stem, name)}` }];
  });
  return bare.slice(0, MAX_BARE_FILES);
}

/** The usual places may be absent; what somebody named must be there. */
function tryCanonical(directory: SearchDirectory, problem: (reason: string) => void): string | undefined {
  try {
    return realpathSync(directory.path);
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    if (directory.named || !absent) problem(readableReason(error));
    return undefined;
  }
}

/** Hidden directories are not for plugins: version control, editors and half-done installations live there. */
function mayHoldPlugin(entry: ListedEntry): boolean {
  return !entry.name.startsWith('.') && (entry.kind === 'directory' || entry.kind === 'symlink');
}

function lookInto(
  parent: string,
  entry: ListedEntry,
  { origin, recall }: Pick<DiscoverOptions, 'recall'> & { readonly origin: Origin },
): RecognisedDirectory | SkippedDirectory | undefined {
  let directory = join(parent, entry.name);
  const skip = (reason: string): SkippedDirectory => ({ directory, reason });
  // Names that tell the terminal or the log something else than a name.
  if (/[\p{Cc}\p{Cf}]/u.test(entry.name)) return skip(`the name ${quote(entry.name)} has control characters`);
  if (entry.kind === 'symlink') {
    try {
      if (!statSync(directory).isDirectory()) return undefined;
      if (isForeign(origin)) return skip('it is a symbolic link, which a workspace may not use for plugins');
      directory = realpathSync(directory);
    } catch (error) {
      return skip(`it is a symbolic link that cannot be followed: ${readableReason(error)}`);
    }
  }
  const recalled = recall?.(directory);
  if (recalled !== undefined) return recalled;
  const listing = listDirectory(directory, MAX_PLUGIN_ENTRIES);
  if (!listing.ok) return skip(`it cannot be read: ${listing.reason}`);
  const names = listing.entries.map((child) => child.name);
  const looked = { directory, names };
  const wanted = (): string => `it has no manifest: wanted is ${knownManifestNames().join(' or ')}${almostManifest(names)}`;
  return tryRecognise(looked) ?? skip(explainUnrecognised(looked) ?? wanted());
}

/** File systems that ignore case let an author's misnamed manifest pass until it gets here. */
function almostManifest(names: readonly string[]): string {
  const almost = knownManifestNames().flatMap((known) => nearestName(known, names) ?? []);
  return almost.length === 0 ? '' : `, found is ${almost.map(quote).join(', ')}`;
}
