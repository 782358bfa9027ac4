'use strict';
// Runs inside the sandbox: makes one ES module of a TypeScript plugin, or checks the syntax of its files, with esbuild.
// Arguments: esbuild’s library, its program, the plugin directory, `bundle` or `check`, then files relative to the directory.
// Prints one line of JSON.

const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { dirname, extname, join, relative } = require('node:path');
const { pathToFileURL } = require('node:url');

const [library, program, directory, task, ...files] = process.argv.slice(2);
process.env.ESBUILD_BINARY_PATH = program;
const esbuild = require(library);

const LOADERS = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.jsx': 'jsx',
  '.json': 'json',
};
const MAX_PROBLEMS = 20;

/** What a module knows of its own place. Bundling moves it, so every file gets constants of its own. */
const PLACES = {
  'import.meta.url': '__plugbridge_url',
  'import.meta.dirname': '__plugbridge_directory',
  'import.meta.filename': '__plugbridge_file',
  __dirname: '__plugbridge_directory',
  __filename: '__plugbridge_file',
};

function describePlace(path) {
  const values = { __plugbridge_url: pathToFileURL(path).href, __plugbridge_directory: dirname(path), __plugbridge_file: path };
  const constants = Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  // On the first line, so that the lines of errors stay right.
  return `const ${constants.join(', ')};`;
}

/** Reads the plugin’s files itself, to say which bytes went into the bundle. */
function readInputs(inputs) {
  return {
    name: 'inputs',
    setup(build) {
      build.onLoad({ filter: /.*/, namespace: 'file' }, ({ path }) => {
        const bytes = readFileSync(path);
        inputs.push({ file: relative(directory, path), sha256: createHash('sha256').update(bytes).digest('hex') });
        const loader = LOADERS[extname(path)] ?? (path === join(directory, files[0]) ? 'ts' : undefined);
        if (loader === undefined) return { errors: [{ text: `"${relative(directory, path)}" is of no kind that can be imported` }] };
        const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
        if (loader === 'json' || !/\bimport\.meta\b|\b__(?:dirname|filename)\b/.test(text)) return { contents: text, loader };
        // The line that names an interpreter would not stand first any more.
        return { contents: describePlace(path) + text.replace(/^#!/, '//'), loader };
      });
    },
  };
}

/** `require` resolves packages from the plugin, and the script is called what it is called there. */
function writeBanner(main) {
  return [
    `import { createRequire as __plugbridge_require } from 'node:module';`,
    `const require = __plugbridge_require(${JSON.stringify(pathToFileURL(main).href)});`,
    `process.argv[1] = ${JSON.stringify(main)};`,
  ].join(' ');
}

async function bundle() {
  const main = join(directory, files[0]);
  const inputs = [];
  const { outputFiles } = await esbuild.build({
    entryPoints: [main],
    absWorkingDir: directory,
    outfile: join(directory, 'main.mjs'),
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    packages: 'external',
    charset: 'utf8',
    // Side effects stay, whatever a package.json says of them.
    ignoreAnnotations: true,
    sourcemap: 'inline',
    sourcesContent: false,
    sourceRoot: `${pathToFileURL(directory).href}/`,
    banner: { js: writeBanner(main) },
    define: PLACES,
    plugins: [readInputs(inputs)],
    logLevel: 'silent',
    logLimit: MAX_PROBLEMS,
  });
  return { ok: true, code: outputFiles[0].text, inputs };
}

async function check() {
  await esbuild.build({
    entryPoints: files.map((file) => join(directory, file)),
    absWorkingDir: directory,
    outdir: directory,
    write: false,
    logLevel: 'silent',
    logLimit: MAX_PROBLEMS,
  });
  return { ok: true, code: '', inputs: [] };
}

function describeFailure(error) {
  if (!Array.isArray(error.errors)) return [String(error)];
  // Files are read side by side, and an answer must not depend on which was faster.
  const placeOf = ({ location }) => [location?.file ?? '', String(location?.line ?? 0).padStart(9, '0')].join('\0');
  return error.errors
    .toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
    .slice(0, MAX_PROBLEMS)
    .map(({ text, location }) => (location ? `${location.file}:${location.line}: ${text}` : text));
}

void (task === 'check' ? check() : bundle())
  .catch((error) => ({ ok: false, problems: describeFailure(error) }))
  .then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
