import { join } from 'node:path';

import type { Format } from '../format.ts';
import { isOldGeneration, OLD_MANIFEST, readOldGeneration } from './old-generation.ts';
import { readPluginToml } from './read.ts';

const MANIFEST = 'PLUGIN.toml';

/** AgentZero's WASM plugins (agentzero.md §1). */
export const agentZero: Format = {
  system: 'agentzero',
  title: 'AgentZero (WebAssembly)',
  manifestName: MANIFEST,
  recognises: (directory) => {
    if (directory.names.includes(MANIFEST)) return MANIFEST;
    return isOldGeneration(directory) ? OLD_MANIFEST : undefined;
  },
  read: (input) => (input.manifestFile === OLD_MANIFEST ? readOldGeneration(input) : readPluginToml(input)),
  places: ({ root }) => [{ path: join(root, '.agentzero', 'plugins'), origin: 'workspace' }],
};
