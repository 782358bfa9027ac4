// What is measured, made anew for each run in a directory of its own: guests, sets of plugins, and homes for the server.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import wabt from 'wabt';
import { describeTool, inputToml, toolName } from './servers/echo-tool.mjs';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** An echo as plugin authors write one, with the guest SDK: parses the whole request, quotes the whole answer. */
const SDK_GUEST = `import { Reply, fail, respond, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";

export { alloc } from "../../guest-sdk/assembly/memory";

export function run(pointer: i32, bytes: i32): i64 {
  return respond(pointer, bytes, handle);
}

function handle(request: Request): Reply {
  const text = request.text("text");
  const problem = request.problem;
  return problem === null ? succeed(text) : fail(problem);
}
`;

/**
 * `sets[n]` is a plugin directory with that many plugins of one tool each, `sdkSet` one with a single plugin written with
 * the guest SDK, `scripts` one for each language with the script itself, `coldConfig` a configuration that starts nothing
 * ahead, `makeHome()` a fresh home of plugbridge. `remove()` removes everything.
 */
export async function makeMaterial(counts) {
  const base = mkdtempSync(join(tmpdir(), 'plugbridge-bench-'));
  const echo = await compileText(readFileSync(new URL('guest/echo.wat', import.meta.url), 'utf8'));
  const sets = Object.fromEntries(counts.map((count) => [count, writeSet(join(base, `plugins-${count}`), { count, module: echo })]));
  const sdkSet = writeSet(join(base, 'plugins-sdk'), { count: 1, module: await compileSdkGuest(join(base, 'source')) });
  const root = join(base, 'root');
  mkdirSync(root);
  const coldConfig = join(base, 'cold.toml');
  writeFileSync(coldConfig, '[scripts]\nprestarted = 0\n');
  return {
    sets,
    sdkSet,
    scripts: Object.fromEntries(SCRIPTS.map(([language, file]) => [language, writeScript(join(base, language), file)])),
    coldConfig,
    root,
    makeHome: () => mkdtempSync(join(base, 'home-')),
    /** Outside the repository, so that a rebuild under our feet changes nothing. */
    copyProduct(directory) {
      const copy = join(base, 'dist');
      cpSync(directory, copy, { recursive: true });
      return join(copy, 'cli.js');
    },
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

/** The echoes of `bench/scripts`, by language. */
const SCRIPTS = [
  ['python', 'echo.py'],
  ['node', 'echo.js'],
  ['bash', 'echo.sh'],
  ['ruby', 'echo.rb'],
];

/** A set with the one plugin `echo`, and where its script is, so that the reference runs the very same file. */
function writeScript(set, file) {
  const plugin = join(set, 'echo');
  mkdirSync(plugin, { recursive: true });
  const main = join(plugin, file);
  writeFileSync(main, readFileSync(new URL(`scripts/${file}`, import.meta.url)));
  const parameters = [{ name: 'text', type: 'string', description: 'The text to echo', required: true }];
  writeFileSync(join(plugin, 'plugin.json'), JSON.stringify({ name: 'echo', description: describeTool(0), main: file, parameters }));
  return { set, main };
}

/** One directory a plugin; every module differs by a custom section, for equal ones would be gated and compiled once. */
function writeSet(directory, { count, module }) {
  for (let index = 0; index < count; index++) {
    const name = `bench${String(index).padStart(4, '0')}`;
    const plugin = join(directory, name);
    mkdirSync(plugin, { recursive: true });
    writeFileSync(join(plugin, 'echo.wasm'), Buffer.concat([module, customSection(name)]));
    writeFileSync(join(plugin, 'PLUGIN.toml'), describePlugin(name, index));
  }
  return directory;
}

const describePlugin = (name, index) => `[plugin]
name = "${name}"
version = "1.0.0"
description = "One echo of the benchmark"
wasm_path = "echo.wasm"
permissions = []

[plugin.limits]
concurrency = 64

[[commands]]
name = "${toolName(index)}"
description = "${describeTool(index)}"

[commands.input]
${inputToml(index)}`;

/** Section 0 of the WebAssembly binary format (core specification §5.5.3). */
function customSection(text) {
  const name = Buffer.from(text);
  return Buffer.concat([Buffer.from([0, name.length + 1, name.length]), name]);
}

async function compileText(text) {
  const { parseWat } = await wabt();
  const module = parseWat('echo.wat', text, { bulk_memory: true });
  try {
    return Buffer.from(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

async function compileSdkGuest(directory) {
  cpSync(join(repository, 'plugins/guest-sdk'), join(directory, 'guest-sdk'), { recursive: true });
  mkdirSync(join(directory, 'echo/assembly'), { recursive: true });
  writeFileSync(join(directory, 'echo/assembly/index.ts'), SDK_GUEST);
  const options = ['--baseDir', directory, '--config', 'guest-sdk/asconfig.json', '--outFile', 'echo.wasm'];
  const { error } = await asc.main(['echo/assembly/index.ts', ...options]);
  if (error) throw new Error(`Cannot compile the guest: ${error.message}`, { cause: error });
  return readFileSync(join(directory, 'echo.wasm'));
}
