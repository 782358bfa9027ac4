import { join } from 'node:path';

import type { Format } from '../format.ts';
import { PLUGIN_TOML, readPluginToml } from '../plugin-toml/read.ts';
import { isOldGeneration, OLD_MANIFEST, readOldGeneration } from './old-generation.ts';
import { wasmToml } from './read.ts';

/** AgentZero's WASM plugins (agentzero.md §1). */
export const agentZero: Format = {
  system: 'agentzero',
  title: 'AgentZero (WebAssembly)',
  manifestName: PLUGIN_TOML,
  recognises: (directory) => {
    if (directory.names.includes(PLUGIN_TOML)) return PLUGIN_TOML;
    return isOldGeneration(directory) ? OLD_MANIFEST : undefined;
  },
  read: (input) => (input.manifestFile === OLD_MANIFEST ? readOldGeneration(input) : readPluginToml(input, wasmToml)),
  places: ({ root }) => [{ path: join(root, '.agentzero', 'plugins'), origin: 'workspace' }],
};
