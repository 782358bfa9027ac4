import { join } from 'node:path';

import { build } from 'esbuild';

/** Bundles a TypeScript program into one file that plain Node runs, for Node 20 cannot load TypeScript; returns its path. */
export async function bundleProgram(entry: string, directory: string): Promise<string> {
  const outfile = join(directory, 'program.mjs');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // The `main` of jsonc-parser loads files that are not in the bundle.
    mainFields: ['module', 'main'],
    target: 'node20',
    logLevel: 'error',
    banner: { js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);" },
  });
  return outfile;
}
