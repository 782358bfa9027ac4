import type { z } from 'zod';

import { digestOf, sha256Hex } from '../digest.ts';
import { createFindings, type Findings } from '../findings.ts';
import type { ManifestInput, ManifestReading } from '../format.ts';
import type { Command, Plugin, Runtime } from '../plugin.ts';
import { readPluginFile } from '../plugin-file.ts';
import { formatProblem, quote } from '../problem.ts';
import { isSafeName, isSemanticVersion } from '../text.ts';
import { readToml } from '../toml.ts';
import { readCommands, type CommandsKind } from './commands.ts';
import { readLimits, type LimitsKind } from './limits.ts';
import { allRequests, readRequests, type Requests } from './requests.ts';
import { NetworkTableSchema, PERMISSIONS, PermissionsSchema, ROOT_KEYS, type Permission, type PluginTable } from './schema.ts';

/** The manifest's file name, whatever the system. */
export const PLUGIN_TOML = 'PLUGIN.toml';
export const MAX_MANIFEST_BYTES = 256 * 1024;

/** What a system's plugins are run from. */
export interface FoundRuntime {
  readonly runtime: Runtime;
  /** Relative path → hex SHA-256, the manifest included. */
  readonly files: Plugin['files'];
}

/** Where a system finds what its plugins are run from. */
export interface RuntimeSource {
  readonly input: ManifestInput;
  /** [plugin] as it stands there, with whatever mistakes it has. */
  readonly table: Readonly<Record<string, unknown>>;
  readonly manifest: { readonly path: string; readonly sha256: string };
  readonly findings: Findings;
}

/** Members of [plugin] that only some systems have. */
interface SystemKeys {
  readonly capabilities?: readonly string[] | undefined;
  readonly enabled?: boolean | undefined;
}

/** What the systems that have a PLUGIN.toml do each in their own way. */
export interface PluginTomlSystem {
  readonly system: string;
  /** [plugin]. */
  readonly schema: z.ZodObject & z.ZodType<PluginTable & SystemKeys>;
  /** Of plugins without `permissions`. */
  readonly defaultPermissions: readonly Permission[];
  readonly limits: LimitsKind;
  readonly commands: CommandsKind;
  /** The commands of a plugin without `[[commands]]`; absent means none, with a warning. */
  readonly withoutCommands?: (description: string, requests: Requests, findings: Findings) => readonly Command[];
  /** Finds what is run, or records what keeps it from being found. */
  findRuntime(source: RuntimeSource): FoundRuntime | undefined;
}

/** Reads a directory's PLUGIN.toml and what it names into the normal form, or finds all that is wrong with them. */
export function readPluginToml(input: ManifestInput, system: PluginTomlSystem): ManifestReading {
  const file = input.manifestFile;
  const refuse = (message: string, line?: number): ManifestReading => ({
    ok: false,
    problems: [{ file, ...(line === undefined ? {} : { line }), message }],
    warnings: [],
  });
  const manifest = readPluginFile(input.directory, file, MAX_MANIFEST_BYTES);
  if (!manifest.ok) return refuse(`cannot be read: ${manifest.reason}`);
  const toml = readToml(manifest.bytes);
  if (!toml.ok) return refuse(toml.message, toml.line);

  const findings = createFindings({ file, lineOf: toml.lineOf });
  const { plugin: pluginTable, commands: commandTables } = toml.table;
  const raw = isTable(pluginTable) ? pluginTable : {};
  const plugin = findings.parse<PluginTomlSystem['schema']>(system.schema, pluginTable, ['plugin']);
  const permissions = plugin === undefined ? permissionsOf(raw) : plugin.permissions;
  const requests = readRequests(
    {
      permissions,
      defaults: system.defaultPermissions,
      network: raw['network'],
      capabilities: plugin?.capabilities,
      path: ['plugin'],
    },
    findings,
  );
  const limits = readLimits(raw['limits'], system.limits, ['plugin', 'limits'], findings);
  const commands = readCommandsOf(commandTables, requests, { system, findings, description: plugin?.description ?? '' });
  warnOfUnknown(toml.table, raw, { system, findings });
  const source = { input, table: raw, manifest: { path: manifest.path, sha256: sha256Hex(manifest.bytes) }, findings };
  const found = isTable(pluginTable) ? system.findRuntime(source) : undefined;

  if (plugin === undefined || found === undefined || findings.problems.length > 0) {
    const { name } = raw;
    return { ok: false, ...(isSafeName(name) ? { name } : {}), problems: findings.problems, warnings: findings.warnings };
  }
  if (!isSemanticVersion(plugin.version)) {
    findings.warn(['plugin', 'version'], `is ${quote(plugin.version)}: wanted a semantic version such as "1.2.3"`);
  }
  return {
    ok: true,
    plugin: {
      id: plugin.name,
      system: system.system,
      name: plugin.name,
      version: plugin.version,
      description: plugin.description,
      directory: input.directory,
      manifestFile: manifest.path,
      files: found.files,
      digest: digestOf(found.files),
      runtime: found.runtime,
      requests: allRequests(requests),
      commands: [...commands],
      tags: [],
      keywords: [...new Set(plugin.keywords)],
      enabled: plugin.enabled ?? true,
      limits,
      warnings: findings.warnings.map(formatProblem),
    },
  };
}

function readCommandsOf(
  tables: unknown,
  requests: Requests,
  { system, findings, description }: { readonly system: PluginTomlSystem; readonly findings: Findings; readonly description: string },
): readonly Command[] {
  if (tables !== undefined && !(Array.isArray(tables) && tables.length === 0)) {
    return readCommands(tables, { kind: system.commands, requests, findings });
  }
  if (system.withoutCommands !== undefined) return system.withoutCommands(description, requests, findings);
  findings.warn([], 'has no commands: wanted [[commands]] tables, for every command becomes a tool');
  return [];
}

/** The permissions of a plugin table with other mistakes, so that the commands are checked against the right ones. */
function permissionsOf(plugin: Readonly<Record<string, unknown>>): readonly Permission[] | undefined {
  if (plugin['permissions'] === undefined) return undefined;
  const permissions = PermissionsSchema.safeParse(plugin['permissions']);
  return permissions.success ? permissions.data : PERMISSIONS;
}

/** AgentZero ignores what it does not know; a misspelt key would be ignored in silence. */
function warnOfUnknown(
  root: Readonly<Record<string, unknown>>,
  plugin: Readonly<Record<string, unknown>>,
  { system, findings }: { readonly system: PluginTomlSystem; readonly findings: Findings },
): void {
  // `plugin` also holds the tables that are read by themselves.
  const known = [...Object.keys(system.schema.shape), 'network', 'limits'];
  for (const key of Object.keys(root)) {
    if (known.includes(key)) findings.warn([key], 'stands above [plugin] and is not used: wanted it in the table [plugin]');
  }
  findings.warnOfUnknownKeys(without(root, known), ROOT_KEYS, []);
  if ('commands' in plugin) findings.warn(['plugin', 'commands'], 'is not used there: wanted [[commands]] outside of [plugin]');
  findings.warnOfUnknownKeys(without(plugin, ['commands']), known, ['plugin']);
  const { network } = plugin;
  if (isTable(network)) findings.warnOfUnknownKeys(network, Object.keys(NetworkTableSchema.shape), ['plugin', 'network']);
}

function without(table: Readonly<Record<string, unknown>>, keys: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(table).filter(([key]) => !keys.includes(key)));
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
