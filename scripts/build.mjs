// Bundles the product into dist/: one file for the command line, one for the WASM host process, and the loaders of scripts.
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, stop } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Bundled CommonJS packages still call `require` for Node’s own modules. */
const REQUIRE = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

export async function buildProduct() {
  rmSync(`${root}dist`, { recursive: true, force: true });
  const shared = {
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    mainFields: ['module', 'main'],
    absWorkingDir: root,
    logLevel: 'warning',
    legalComments: 'none',
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: true,
  };
  await Promise.all([
    build({
      ...shared,
      entryPoints: { cli: 'src/cli.ts' },
      outdir: 'dist',
      splitting: true,
      chunkNames: '[name]-[hash]',
      banner: { js: REQUIRE },
    }),
    build({ ...shared, entryPoints: { 'wasm-host': 'src/executors/wasm/child.ts' }, outdir: 'dist', sourcemap: false }),
  ]);
  chmodSync(`${root}dist/cli.js`, 0o755);
  cpSync(`${root}src/executors/script/loaders`, `${root}dist/loaders`, { recursive: true });
  // `npm start` goes on in this very process, and the compiler’s own process would stay with it, and after it.
  await stop();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildProduct();
