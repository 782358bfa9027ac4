// Makes plugin directories to measure with: the echo guest, and as many copies of it as wanted.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import createWabt from 'wabt';

import { describe, schemaOf } from './servers/tools.mjs';

const GUEST = new URL('./guest/echo.wat', import.meta.url);

/** The WASM module that answers with its argument `text`. */
export async function assembleGuest(readFile) {
  const wabt = await createWabt();
  const module = wabt.parseWat('echo.wat', await readFile(GUEST, 'utf8'), { bulk_memory: true });
  return Buffer.from(module.toBinary({}).buffer);
}

/** Writes `count` plugins `echo0000`… with one command each into `directory`. */
export function writePlugins(directory, { count, guest }) {
  for (let index = 0; index < count; index++) {
    const name = `echo${String(index).padStart(4, '0')}`;
    const plugin = join(directory, name);
    mkdirSync(plugin, { recursive: true });
    writeFileSync(join(plugin, 'echo.wasm'), guest);
    writeFileSync(join(plugin, 'PLUGIN.toml'), manifestOf(name, index));
  }
}

const manifestOf = (name, index) => `[plugin]
name = "${name}"
version = "1.0.0"
description = "Echoes what it is given"
wasm_path = "echo.wasm"
permissions = ["file_read"]

[[commands]]
name = "echo"
description = ${JSON.stringify(describe(index))}
input = ${toInlineToml(schemaOf(index))}
`;

const toInlineToml = (value) => {
  if (Array.isArray(value)) return `[${value.map(toInlineToml).join(', ')}]`;
  if (typeof value === 'object') return `{ ${Object.entries(value).map(([key, member]) => `${key} = ${toInlineToml(member)}`).join(', ')} }`;
  return JSON.stringify(value);
};
