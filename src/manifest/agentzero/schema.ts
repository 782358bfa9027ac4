import { z } from 'zod';

import { PLUGIN_SHAPE, PLUGIN_TABLE_WANTED } from '../plugin-toml/schema.ts';
import { isSafeRelativePath } from '../text.ts';

const PATH_WANTED = 'a relative path inside the plugin directory, with "/" between its parts and no ".."';
const RUNTIME_WANTED = '"wasm", or for scripts python, node, typescript, bash or ruby';

const { name, version, description, permissions, keywords } = PLUGIN_SHAPE;

/** [plugin] of a WASM plugin (agentzero.md §1). */
export const WasmPluginSchema = z.object(
  {
    name,
    version,
    description,
    runtime: z.literal('wasm', { error: RUNTIME_WANTED }).optional().describe('absent means wasm'),
    wasm_path: z
      .string({ error: PATH_WANTED })
      .refine(isSafeRelativePath, { error: PATH_WANTED })
      .optional()
      .describe('the module; absent or missing means the first .wasm file beside the manifest'),
    permissions: permissions.describe('absent means file_read and file_write; an empty list means none'),
    keywords,
  },
  { error: PLUGIN_TABLE_WANTED },
);
