import type { Candidate, Discovery } from '../discover/candidates.ts';
import type { Inspection } from '../executors/executor.ts';
import type { ManifestReading } from '../manifest/format.ts';
import type { RecognisedDirectory } from '../manifest/formats.ts';
import type { Plugin } from '../manifest/plugin.ts';
import { formatProblem } from '../manifest/problem.ts';
import type { TrustAnswer } from '../trust/trust.ts';
import type { PluginEntry } from './catalog.ts';
import type { ReadingCache } from './reading-cache.ts';

export interface LoadDeps {
  readManifest(candidate: RecognisedDirectory): ManifestReading;
  /** The runtime’s look at the files, before anything of them runs. */
  inspect(plugin: Plugin): Inspection;
  judgeTrust(plugin: Plugin, candidate: Candidate): TrustAnswer;
  /** Limits that the person sets over each plugin’s own. */
  capLimits(limits: Plugin['limits']): Plugin['limits'];
  readonly cache: ReadingCache;
}

/** What is known of a candidate’s content; kept while its files stay as they are. */
export type Reading =
  | { readonly ok: true; readonly plugin: Plugin; readonly warnings: readonly string[] }
  | {
      readonly ok: false;
      readonly system: string;
      readonly name: string | undefined;
      readonly problem: string;
      readonly warnings: readonly string[];
    };

/**
 * Reads every candidate into an entry. The first registration of a name wins, a trusted one over an untrusted one, and the
 * others are reported; where a plugin broke since `previous`, its last good version stays callable.
 */
export function loadEntries(discovery: Discovery, deps: LoadDeps, previous: readonly PluginEntry[]): readonly PluginEntry[] {
  const found = discovery.candidates.map((candidate) => {
    const before = previous.find((entry) => entry.directory === candidate.directory);
    return makeEntry(candidate, deps, before);
  });
  const winners = new Map<string, PluginEntry>();
  // What a workspace brought along must not take the name of a plugin that the person has trusted.
  for (const entry of [...found.filter((one) => one.callable), ...found]) if (!winners.has(entry.name)) winners.set(entry.name, entry);
  const entries = found.map((entry) => {
    const winner = winners.get(entry.name);
    return winner === undefined || winner === entry ? entry : loseName(entry, winner);
  });
  deps.cache.save();
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function loseName({ plugin: _plugin, ...rest }: PluginEntry, winner: PluginEntry): PluginEntry {
  return { ...rest, status: 'broken', error: `the name is taken by the plugin in "${winner.directory}"`, callable: false };
}

function makeEntry(candidate: Candidate, deps: LoadDeps, before: PluginEntry | undefined): PluginEntry {
  const reading = deps.cache.read(candidate, (current) => readCandidate(current, deps));
  const system = reading.ok ? reading.plugin.system : reading.system;
  const shared = { system, directory: candidate.directory, origin: candidate.origin, warnings: reading.warnings };
  if (!reading.ok) {
    // What a person no longer trusts does not go on because it broke.
    const lastGood = before?.callable && before.plugin && deps.judgeTrust(before.plugin, candidate).trusted ? before.plugin : undefined;
    const name = lastGood?.name ?? reading.name ?? directoryName(candidate.directory);
    const error = lastGood ? `${reading.problem}; its last good version ${lastGood.version} goes on` : reading.problem;
    return { ...shared, name, status: 'broken', error, callable: lastGood !== undefined, ...(lastGood ? { plugin: lastGood } : {}) };
  }
  // The same object as before lets its tools be carried over.
  const unchanged =
    before?.plugin && before.plugin.digest === reading.plugin.digest && before.plugin.directory === reading.plugin.directory;
  const plugin = unchanged && before.plugin ? before.plugin : { ...reading.plugin, limits: deps.capLimits(reading.plugin.limits) };
  const named = { ...shared, name: plugin.name, plugin };
  if (!plugin.enabled) return { ...named, status: 'disabled', error: 'it is disabled', callable: false };
  const trust = deps.judgeTrust(plugin, candidate);
  if (!trust.trusted) return { ...named, status: trust.changed ? 'changed' : 'untrusted', error: trust.reason, callable: false };
  return { ...named, status: 'ok', callable: true };
}

function readCandidate(candidate: RecognisedDirectory, deps: LoadDeps): Reading {
  const { system } = candidate;
  const reading = deps.readManifest(candidate);
  if (!reading.ok) {
    return {
      ok: false,
      system,
      name: reading.name,
      problem: joinProblems(reading.problems.map(formatProblem)),
      warnings: reading.warnings.map(formatProblem),
    };
  }
  const { plugin } = reading;
  const inspection = deps.inspect(plugin);
  if (!inspection.ok) {
    return { ok: false, system, name: plugin.name, problem: joinProblems(inspection.problems), warnings: plugin.warnings };
  }
  return { ok: true, plugin, warnings: [...plugin.warnings, ...inspection.warnings] };
}

const joinProblems = (problems: readonly string[]): string =>
  problems.length > 1 ? `${problems[0]} (and ${problems.length - 1} more, see plugbridge validate)` : (problems[0] ?? 'it cannot be read');

const directoryName = (directory: string): string => directory.slice(directory.lastIndexOf('/') + 1);
