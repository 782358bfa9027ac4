import { applyEdits, modify } from 'jsonc-parser';

import { createLineFinder } from './toml-lines.ts';

const TOML_NAME = /^(\s*(?:name|"name")\s*=\s*)(?:"[^"\\]*"|'[^']*')(?=\s*(?:#|$))/;

/**
 * The text of a manifest with another plugin name and nothing else changed; undefined where the name cannot be found. The
 * caller reads the result as a manifest, for this looks at one line only. `name` is a safe name.
 */
export function tryRenameManifest(file: string, text: string, name: string): string | undefined {
  if (file.endsWith('.json')) return applyEdits(text, modify(text, ['name'], name, {}));
  if (!file.endsWith('.toml')) return undefined;
  const line = createLineFinder(text)(['plugin', 'name']);
  const lines = text.split('\n');
  const found = line === undefined ? undefined : lines[line - 1];
  if (line === undefined || found === undefined || !TOML_NAME.test(found)) return undefined;
  lines[line - 1] = found.replace(TOML_NAME, (_whole, before: string) => `${before}"${name}"`);
  return lines.join('\n');
}
