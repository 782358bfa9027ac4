import type { PluginDirectory } from '../format.ts';
import { readAnnotations } from '../plugin-toml/annotations.ts';
import { openSchema } from '../plugin-toml/input.ts';
import { MAX_MANIFEST_BYTES, PLUGIN_TOML, type PluginTomlSystem } from '../plugin-toml/read.ts';
import { allRequests } from '../plugin-toml/requests.ts';
import { LANGUAGES } from '../plugin.ts';
import { readPluginFile } from '../plugin-file.ts';
import { readToml } from '../toml.ts';
import { ScriptCommandSchema, ScriptPluginSchema } from './schema.ts';
import { findScriptRuntime, SCRIPT_LIMITS_KIND } from './script-runtime.ts';

/**
 * Reads PLUGIN.toml of a script. Without `permissions` it asks for nothing: AgentZero’s default of the whole root is about
 * WASM plugins, which have nowhere else to keep anything, where scripts have a run and a data directory of their own.
 */
export const scriptToml: PluginTomlSystem = {
  system: 'kaizen',
  schema: ScriptPluginSchema,
  defaultPermissions: [],
  limits: SCRIPT_LIMITS_KIND,
  commands: { schema: ScriptCommandSchema, reservedArguments: [] },
  withoutCommands: (description, requests, findings) => [
    {
      name: 'run',
      description,
      inputSchema: openSchema(),
      annotations: readAnnotations({}, allRequests(requests), { path: ['plugin'], findings }),
    },
  ],
  findRuntime({ input, table, findings }) {
    const parsed = SettingsSchema.safeParse(table);
    if (!parsed.success) return undefined;
    const { runtime: language, main, ...settings } = parsed.data;
    return findScriptRuntime({ input, language, main, settings, path: ['plugin'], languageKey: 'runtime', findings });
  },
};

const SettingsSchema = ScriptPluginSchema.pick({ runtime: true, main: true, input: true, dependencies: true });

/** How a runtime is written, wherever and however `runtime` stands. */
const MENTION = new RegExp(String.raw`\bruntime["']?\s*=\s*["'](?:${LANGUAGES.join('|')})["']`);

/**
 * Whether PLUGIN.toml is that of a script. Text that mentions a language as runtime is parsed to be sure; where it cannot be,
 * the mention counts, so that a broken manifest is reported under the right system.
 */
export function isScriptToml({ directory, names }: PluginDirectory): boolean {
  if (!names.includes(PLUGIN_TOML)) return false;
  const file = readPluginFile(directory, PLUGIN_TOML, MAX_MANIFEST_BYTES);
  if (!file.ok || !MENTION.test(Buffer.from(file.bytes).toString('latin1'))) return false;
  const toml = readToml(file.bytes);
  if (!toml.ok) return true;
  const { plugin } = toml.table;
  const runtime = typeof plugin === 'object' && plugin !== null && 'runtime' in plugin ? plugin.runtime : undefined;
  return LANGUAGES.some((language) => language === runtime);
}
