import { basename } from 'node:path';

import { createFindings, type Findings } from '../findings.ts';
import type { ManifestInput, ManifestReading, PluginDirectory } from '../format.ts';
import { readJson } from '../json.ts';
import { readAnnotations } from '../plugin-toml/annotations.ts';
import { readCommands } from '../plugin-toml/commands.ts';
import { readLimits } from '../plugin-toml/limits.ts';
import { MAX_MANIFEST_BYTES } from '../plugin-toml/read.ts';
import { allRequests, readRequests, type Requests } from '../plugin-toml/requests.ts';
import type { Command, Limits } from '../plugin.ts';
import { readPluginFile } from '../plugin-file.ts';
import { describeValue, quote } from '../problem.ts';
import { isSafeName } from '../text.ts';
import { findScript, languageOf } from './find-script.ts';
import { readLeadingComment } from './leading-comment.ts';
import { makePlugin } from './make-plugin.ts';
import { readSidecarInput } from './parameters.ts';
import { LANGUAGE_NAMES, ScriptCommandSchema, SidecarSchema, type Sidecar } from './schema.ts';
import { findScriptRuntime, SCRIPT_LIMITS_KIND } from './script-runtime.ts';

export const SIDECAR = 'plugin.json';

/** Reads a directory's plugin.json and the script that it describes, or finds all that is wrong with them. */
export function readSidecar(input: ManifestInput): ManifestReading {
  const file = input.manifestFile;
  const refuse = (message: string, line?: number): ManifestReading => ({
    ok: false,
    problems: [{ file, ...(line === undefined ? {} : { line }), message }],
    warnings: [],
  });
  const manifest = readPluginFile(input.directory, file, MAX_MANIFEST_BYTES);
  if (!manifest.ok) return refuse(`cannot be read: ${manifest.reason}`);
  const json = readJson(manifest.bytes);
  if (!json.ok) return refuse(json.message, json.line);
  const raw = json.value;
  if (!isTable(raw)) return refuse(`is ${describeValue(raw)}: wanted an object with name, description and parameters`, 1);

  const findings = createFindings({ file, lineOf: json.lineOf });
  findings.warnOfUnknownKeys(raw, Object.keys(SidecarSchema.shape), []);
  const sidecar = findings.parse(SidecarSchema, raw, []);
  const given = isSafeName(raw['name']) ? { name: raw['name'] } : {};
  if (sidecar === undefined) return { ok: false, ...given, problems: findings.problems, warnings: findings.warnings };

  const name = sidecar.name ?? basename(input.directory);
  if (!isSafeName(name))
    findings.problem(['name'], `is missing, and the name of the directory, ${quote(name)}, is none for a plugin: wanted one`);
  const requests = readRequests(
    { permissions: sidecar.permissions, defaults: [], network: sidecar.network, capabilities: sidecar.capabilities, path: [] },
    findings,
  );
  const limits = readSidecarLimits(sidecar, findings);
  const language = sidecar.language === undefined ? undefined : LANGUAGE_NAMES.get(sidecar.language.toLowerCase());
  const commands = readSidecarCommands(sidecar, requests, findings);
  const script = findScriptRuntime({
    input,
    language,
    main: sidecar.main,
    settings: sidecar,
    path: [],
    languageKey: 'language',
    findings,
  });
  if (script === undefined || findings.problems.length > 0) {
    return { ok: false, ...(isSafeName(name) ? { name } : {}), problems: findings.problems, warnings: findings.warnings };
  }
  const description = sidecar.description ?? readLeadingComment(script.bytes, script.runtime.language) ?? `Runs ${script.runtime.main}`;
  return {
    ok: true,
    plugin: makePlugin({
      input,
      manifestFile: manifest.path,
      name,
      script,
      commands: sidecar.commands === undefined ? commands.map((run) => ({ ...run, description })) : commands,
      findings,
      described: { ...sidecar, description, requests: allRequests(requests), limits },
    }),
  };
}

function readSidecarLimits({ timeout, limits: table }: Sidecar, findings: Findings): Limits {
  const limits = readLimits(table, SCRIPT_LIMITS_KIND, ['limits'], findings);
  if (timeout === undefined) return limits;
  if (isTable(table) && table['timeout'] !== undefined)
    findings.problem(['limits', 'timeout'], 'stands beside timeout: wanted one of them');
  return { ...limits, timeoutMs: Math.round(timeout * 1000) };
}

/** The members of `commands`, or else `run`, whose description the script may have to give. */
function readSidecarCommands(sidecar: Sidecar, requests: Requests, findings: Findings): readonly Command[] {
  if (sidecar.commands === undefined) {
    const run = {
      name: 'run',
      ...(sidecar.title === undefined ? {} : { title: sidecar.title }),
      description: sidecar.description ?? '',
      inputSchema: readSidecarInput(sidecar, findings),
      annotations: readAnnotations(sidecar, allRequests(requests), { path: [], findings }),
    };
    return [run];
  }
  for (const key of ['parameters', 'schema', 'title', 'read_only', 'destructive', 'idempotent'] as const) {
    if (sidecar[key] !== undefined) findings.problem([key], 'stands beside commands: wanted it in each of them');
  }
  if (Array.isArray(sidecar.commands) && sidecar.commands.length === 0) {
    findings.problem(['commands'], 'is a list of 0: wanted at least one command, or parameters in its place');
  }
  const kind = { schema: ScriptCommandSchema, reservedArguments: [] };
  return readCommands(sidecar.commands, { kind, requests, findings });
}

/**
 * Whether plugin.json is one of ours, for other tools have a file of that name too: an object that names a script or its
 * language, or one with a name where a script lies beside it. What cannot be read counts where a script lies beside it, so
 * that a broken manifest is reported and not passed over.
 */
export function isSidecar(directory: PluginDirectory): boolean {
  if (!directory.names.includes(SIDECAR)) return false;
  const hasScript = (): boolean => findScript(directory).count > 0;
  const file = readPluginFile(directory.directory, SIDECAR, MAX_MANIFEST_BYTES);
  const json = file.ok ? readJson(file.bytes) : undefined;
  if (!json?.ok || !isTable(json.value)) return hasScript();
  const { name, main, language } = json.value;
  if (typeof language === 'string' && LANGUAGE_NAMES.has(language.toLowerCase())) return true;
  if (typeof main === 'string' && languageOf(main) !== undefined) return true;
  return (name !== undefined || main !== undefined || language !== undefined) && hasScript();
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
