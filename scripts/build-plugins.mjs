// Compiles every plugin written in AssemblyScript: <dir>/<name>/assembly/index.ts → <dir>/<name>/<name>.wasm.
// Usage: node scripts/build-plugins.mjs [--plugins DIR] [--force] [NAME...]
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import asc from 'assemblyscript/asc';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    plugins: { type: 'string', default: join(repository, 'plugins') },
    force: { type: 'boolean', default: false },
  },
});
const directory = resolve(values.plugins);
const names = positionals.length > 0 ? positionals : findPlugins(directory);
if (names.length === 0) console.error(`Cannot build: no plugin in "${directory}" has an assembly/index.ts`);

let failed = names.length === 0;
for (const name of names) {
  const target = join(directory, name, `${name}.wasm`);
  if (!existsSync(join(directory, name, 'assembly', 'index.ts'))) {
    console.error(`${name}: failed, it has no assembly/index.ts`);
    failed = true;
  } else if (!values.force && isCurrent(name, target)) {
    console.log(`${name}: up to date`);
  } else {
    const startedMs = performance.now();
    const problem = await compile(name, target);
    const tookMs = Math.round(performance.now() - startedMs);
    if (problem === undefined) console.log(`${name}: built ${statSync(target).size} bytes in ${tookMs} ms`);
    else {
      console.error(`${name}: failed\n${problem}`);
      failed = true;
    }
  }
}
process.exitCode = failed ? 1 : 0;

/** Plugins have a manifest and an entry file; the guest SDK has neither. */
function findPlugins(root) {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, 'assembly', 'index.ts')))
    .map((entry) => entry.name)
    .toSorted();
}

/** Whether a module is newer than everything that decides its bytes: sources, the SDK, the compiler and this script. */
function isCurrent(name, target) {
  if (!existsSync(target)) return false;
  const builtMs = statSync(target).mtimeMs;
  const compiler = createRequire(import.meta.url).resolve('assemblyscript/package.json');
  const inputs = [
    ...listTree(join(directory, name, 'assembly')),
    ...listTree(join(directory, 'guest-sdk')),
    compiler,
    fileURLToPath(import.meta.url),
  ];
  return inputs.every((path) => statSync(path).mtimeMs < builtMs);
}

/** Files and folders, for the time of a folder tells of a file that was removed. */
function listTree(folder) {
  return [folder, ...readdirSync(folder, { recursive: true }).map((path) => join(folder, path))];
}

/** Compiles beside the target and renames, so that nobody ever reads half a module. Returns what the compiler said on failure. */
async function compile(name, target) {
  const unfinished = `${target}.${process.pid}`;
  const said = [];
  const outFile = `${name}/${name}.wasm.${process.pid}`;
  const { error } = await asc.main(
    [`${name}/assembly/index.ts`, '--baseDir', directory, '--config', 'guest-sdk/asconfig.json', '--outFile', outFile, '--noColors'],
    { stderr: { write: (text) => said.push(String(text)) > 0 } },
  );
  try {
    if (error) return `${said.join('')}${error.message}`;
    renameSync(unfinished, target);
    return undefined;
  } finally {
    rmSync(unfinished, { force: true });
  }
}
