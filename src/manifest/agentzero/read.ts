import { DEFAULT_LIMITS } from '../plugin.ts';
import type { PluginTomlSystem } from '../plugin-toml/read.ts';
import { CommandTableSchema, limitsTableSchema } from '../plugin-toml/schema.ts';
import { isSafeRelativePath } from '../text.ts';
import { findModule } from './module.ts';
import { WasmPluginSchema } from './schema.ts';

/** Reads PLUGIN.toml of a WASM plugin. Limits are AgentZero's own: 30 s and 64 MiB (agentzero.md §3). */
export const wasmToml: PluginTomlSystem = {
  system: 'agentzero',
  schema: WasmPluginSchema,
  defaultPermissions: ['file_read', 'file_write'],
  limits: { schema: limitsTableSchema(1, 512), defaults: DEFAULT_LIMITS },
  // Members of every request that the host sets and that win over arguments (agentzero.md §2, “Request”).
  commands: { schema: CommandTableSchema, reservedArguments: ['action', 'root'] },
  findRuntime({ input, table, manifest, findings }) {
    const wasmPath = table['wasm_path'];
    if (wasmPath !== undefined && !(typeof wasmPath === 'string' && isSafeRelativePath(wasmPath))) return undefined;
    const module = findModule(input, wasmPath, findings);
    if (module === undefined) return undefined;
    return {
      runtime: { kind: 'wasm', modulePath: module.path },
      files: Object.fromEntries([
        [manifest.path, manifest.sha256],
        [module.path, module.sha256],
      ]),
    };
  },
};
