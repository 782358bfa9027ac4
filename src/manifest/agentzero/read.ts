import { digestOf, sha256Hex } from '../digest.ts';
import { createFindings, type Findings } from '../findings.ts';
import type { ManifestInput, ManifestReading } from '../format.ts';
import { readPluginFile } from '../plugin-file.ts';
import { formatProblem, quote } from '../problem.ts';
import { isSafeName, isSafeRelativePath, isSemanticVersion } from '../text.ts';
import { readToml } from '../toml.ts';
import { readCommands } from './commands.ts';
import { readLimits } from './limits.ts';
import { findModule } from './module.ts';
import { readRequests } from './requests.ts';
import {
  NetworkTableSchema,
  PERMISSIONS,
  PermissionsSchema,
  PLUGIN_KEYS,
  PluginTableSchema,
  ROOT_KEYS,
  type Permission,
} from './schema.ts';

const MAX_MANIFEST_BYTES = 256 * 1024;

/** Reads a directory's PLUGIN.toml and what it names into the normal form, or finds all that is wrong with them. */
export function readPluginToml(input: ManifestInput): ManifestReading {
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
  const plugin = findings.parse(PluginTableSchema, pluginTable, ['plugin']);
  const requests = readRequests(plugin === undefined ? permissionsOf(raw) : plugin.permissions, raw['network'], findings);
  const limits = readLimits(raw['limits'], findings);
  const commands = readCommands(commandTables, requests, findings);
  warnOfUnknown(toml.table, raw, findings);
  const wasmPath = raw['wasm_path'];
  const isPathUsable = wasmPath === undefined || (typeof wasmPath === 'string' && isSafeRelativePath(wasmPath));
  const module = isTable(pluginTable) && isPathUsable ? findModule(input, wasmPath, findings) : undefined;

  if (plugin === undefined || module === undefined || findings.problems.length > 0) {
    const { name } = raw;
    return { ok: false, ...(isSafeName(name) ? { name } : {}), problems: findings.problems, warnings: findings.warnings };
  }
  if (!isSemanticVersion(plugin.version)) {
    findings.warn(['plugin', 'version'], `is ${quote(plugin.version)}: wanted a semantic version such as "1.2.3"`);
  }
  const files = Object.fromEntries([
    [manifest.path, sha256Hex(manifest.bytes)],
    [module.path, module.sha256],
  ]);
  return {
    ok: true,
    plugin: {
      id: plugin.name,
      system: 'agentzero',
      name: plugin.name,
      version: plugin.version,
      description: plugin.description,
      directory: input.directory,
      manifestFile: manifest.path,
      files,
      digest: digestOf(files),
      runtime: { kind: 'wasm', modulePath: module.path },
      requests: [...requests.values()].flat(),
      commands: [...commands],
      tags: [],
      keywords: [...new Set(plugin.keywords)],
      enabled: true,
      limits,
      warnings: findings.warnings.map(formatProblem),
    },
  };
}

/** The permissions of a plugin table with other mistakes, so that the commands are checked against the right ones. */
function permissionsOf(plugin: Readonly<Record<string, unknown>>): readonly Permission[] | undefined {
  if (plugin['permissions'] === undefined) return undefined;
  const permissions = PermissionsSchema.safeParse(plugin['permissions']);
  return permissions.success ? permissions.data : PERMISSIONS;
}

/** AgentZero ignores what it does not know; a misspelt key would be ignored in silence. */
function warnOfUnknown(root: Readonly<Record<string, unknown>>, plugin: Readonly<Record<string, unknown>>, findings: Findings): void {
  for (const key of Object.keys(root)) {
    if (!(PLUGIN_KEYS as readonly string[]).includes(key)) continue;
    findings.warn([key], 'stands above [plugin] and is not used: wanted it in the table [plugin]');
  }
  findings.warnOfUnknownKeys(without(root, PLUGIN_KEYS), ROOT_KEYS, []);
  if ('commands' in plugin) findings.warn(['plugin', 'commands'], 'is not used there: wanted [[commands]] outside of [plugin]');
  findings.warnOfUnknownKeys(without(plugin, ['commands']), PLUGIN_KEYS, ['plugin']);
  const { network } = plugin;
  if (isTable(network)) findings.warnOfUnknownKeys(network, Object.keys(NetworkTableSchema.shape), ['plugin', 'network']);
}

function without(table: Readonly<Record<string, unknown>>, keys: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(table).filter(([key]) => !keys.includes(key)));
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
