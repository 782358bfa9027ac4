import { join } from 'node:path';

import type { Format } from '../format.ts';
import { PLUGIN_TOML, readPluginToml } from '../plugin-toml/read.ts';
import { findLoneScript } from './find-script.ts';
import { readLoneScript } from './read-lone-script.ts';
import { isSidecar, readSidecar, SIDECAR } from './read-sidecar.ts';
import { isScriptToml, scriptToml } from './script-toml.ts';

/** Scripts in Kaizen’s five languages (kaizen.md), with plugin.json, with our PLUGIN.toml, or without any manifest. */
export const kaizen: Format = {
  system: 'kaizen',
  title: 'Kaizen (scripts)',
  manifestName: SIDECAR,
  recognises: (directory) => {
    // A PLUGIN.toml of another runtime is not ours, whatever lies beside it.
    if (directory.names.includes(PLUGIN_TOML)) return isScriptToml(directory) ? PLUGIN_TOML : undefined;
    return isSidecar(directory) ? SIDECAR : undefined;
  },
  recognisesAlone: (directory) => {
    if (directory.names.includes(PLUGIN_TOML) || directory.names.includes(SIDECAR)) return undefined;
    const found = findLoneScript(directory);
    return 'main' in found ? found.main : undefined;
  },
  explains: (directory) => {
    if (directory.names.includes(SIDECAR)) {
      return `its ${SIDECAR} describes no script: wanted a name, and a script beside it or as "main", in Python, Node.js, TypeScript, Bash or Ruby`;
    }
    const found = findLoneScript(directory);
    return 'main' in found ? undefined : found.reason;
  },
  read: (input) => {
    if (input.manifestFile === PLUGIN_TOML) return readPluginToml(input, scriptToml);
    return input.manifestFile === SIDECAR ? readSidecar(input) : readLoneScript(input);
  },
  places: ({ root }) => [{ path: join(root, 'workspace', 'plugins'), origin: 'workspace' }],
};
