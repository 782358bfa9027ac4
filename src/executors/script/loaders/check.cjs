'use strict';
// Compiles the JavaScript files that it is given and runs none of them; started with --experimental-vm-modules. Prints
// `index<TAB>line<TAB>message` for each that is wrong. `node --check` overlooks errors in files whose kind it has to find out.

const { spawnSync } = require('node:child_process');
const { existsSync, readFileSync } = require('node:fs');
const { dirname, extname, join } = require('node:path');
const vm = require('node:vm');

const COMMONJS_PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];
/** By these Node.js takes a file for an ES module that says nothing of its kind (its documentation, “Syntax detection”). */
const MODULE_ONLY = /import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta'|await is only valid/;

function readPackageType(path) {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    const file = join(directory, 'package.json');
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')).type;
    if (directory === dirname(directory)) return undefined;
  }
}

/** An error in a module does not say where it is; Node.js itself does, of text that it is told to be one. */
function asModule(text, path) {
  try {
    new vm.SourceTextModule(text, { identifier: path });
  } catch (error) {
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--check', '-'], { input: text, encoding: 'utf8' });
    error.line = /^\[stdin\]:(\d+)$/m.exec(stderr)?.[1];
    throw error;
  }
}

const asCommonjs = (text, path) => vm.compileFunction(text, COMMONJS_PARAMETERS, { filename: path });

function asEither(text, path) {
  try {
    asCommonjs(text, path);
  } catch (error) {
    if (!MODULE_ONLY.test(error.message)) throw error;
    asModule(text, path);
  }
}

function chooseCompiler(path) {
  if (extname(path) === '.mjs') return asModule;
  if (extname(path) === '.cjs') return asCommonjs;
  const type = readPackageType(path);
  return type === 'module' ? asModule : type === 'commonjs' ? asCommonjs : asEither;
}

for (const [index, path] of process.argv.slice(2).entries()) {
  try {
    const text = readFileSync(path, 'utf8')
      .replace(/^\uFEFF/, '')
      .replace(/^#!/, '//');
    chooseCompiler(path)(text, path);
  } catch (error) {
    // The first line of a syntax error’s stack says where it is.
    const line = error.line ?? /:(\d+)$/m.exec(String(error.stack).split('\n')[0])?.[1] ?? 0;
    process.stdout.write(`${index}\t${line}\t${error.message.replaceAll(/\s+/g, ' ')}\n`);
  }
}
