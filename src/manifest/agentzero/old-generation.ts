import type { ManifestInput, ManifestReading, PluginDirectory } from '../format.ts';
import { readPluginFile } from '../plugin-file.ts';
import { isSafeName } from '../text.ts';

/** The manifest of AgentZero 0.3 to 0.13, an unrelated contract (agentzero.md §8, “Older generation”). */
export const OLD_MANIFEST = 'manifest.json';
const MAX_MANIFEST_BYTES = 64 * 1024;

/** Many tools call their manifest `manifest.json`: only one that names an `az_` entry point is meant. */
export function isOldGeneration(directory: PluginDirectory): boolean {
  return directory.names.includes(OLD_MANIFEST) && tryOldManifest(directory) !== undefined;
}

/** Says that the generation is not supported, under the plugin's own name. */
export function readOldGeneration(input: ManifestInput): ManifestReading {
  const manifest = tryOldManifest(input);
  const message =
    'is a plugin of AgentZero 0.3 to 0.13 (entry point az_tool_execute, WASI), which is not supported: wanted a plugin with a PLUGIN.toml and the exports alloc and run';
  const name = manifest?.['id'];
  return {
    ok: false,
    ...(isSafeName(name) ? { name } : {}),
    problems: [{ file: OLD_MANIFEST, message }],
    warnings: [],
  };
}

function tryOldManifest(directory: PluginDirectory): Readonly<Record<string, unknown>> | undefined {
  const file = readPluginFile(directory.directory, OLD_MANIFEST, MAX_MANIFEST_BYTES);
  if (!file.ok) return undefined;
  try {
    const manifest: unknown = JSON.parse(Buffer.from(file.bytes).toString('utf8'));
    if (typeof manifest !== 'object' || manifest === null || !('entrypoint' in manifest)) return undefined;
    const { entrypoint } = manifest;
    return typeof entrypoint === 'string' && entrypoint.startsWith('az_') ? { ...manifest } : undefined;
  } catch {
    return undefined;
  }
}
