import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { tryWriteCacheFile } from '../../../cache-file.ts';
import { reasonOf } from '../../../errors.ts';
import { sha256Hex } from '../../../manifest/digest.ts';
import type { Sandbox, SandboxMount } from '../../sandbox/sandbox.ts';
import { pruneBundles } from './bundle-cache.ts';
import type { Interpreters } from './interpreters.ts';
import { oneLine, runTool } from './run-tool.ts';

/** Where a bundle and the plugin’s packages are mounted, so that Node.js finds the packages beside it. */
const INSIDE = '/run/plugbridge-bundle';
/** Counts the ways in which bundles were made; those of another are made anew. */
const BUNDLE_VERSION = 1;
const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;
const MAX_BUNDLES = 200;

export interface TypeScriptOptions {
  readonly sandbox: Sandbox;
  readonly interpreters: Interpreters;
  /** Where our loaders are, absolute and canonical. */
  readonly loadersDirectory: string;
  readonly cacheDirectory: string;
}

export interface TypeScriptPlugin {
  /** Absolute and canonical. */
  readonly directory: string;
  /** Relative path → hex SHA-256: only these files go into a bundle. */
  readonly files: Readonly<Record<string, string>>;
  /** Relative to the directory. */
  readonly main: string;
}

/** What runs in place of the script, as it lies inside; or what is wrong with it, as `file:line: message` where there is a line. */
export type PreparedTypeScript =
  | { readonly ok: true; readonly mainFile: string; readonly mounts: readonly SandboxMount[] }
  | { readonly ok: false; readonly problems: readonly string[] };

export interface TypeScript {
  /**
   * Makes one ES module of the script and what it imports of the plugin, once per content; packages stay packages.
   * Throws HostError where nothing can be started.
   */
  prepare(plugin: TypeScriptPlugin): Promise<PreparedTypeScript>;
  /** The syntax errors of further files, relative to the directory. Throws HostError where nothing can be started. */
  check(directory: string, files: readonly string[]): Promise<readonly string[]>;
}

const AnswerSchema = z.discriminatedUnion('ok', [
  z.strictObject({
    ok: z.literal(true),
    code: z.string(),
    inputs: z.array(z.strictObject({ file: z.string(), sha256: z.string() })).max(100_000),
  }),
  z.strictObject({ ok: z.literal(false), problems: z.array(z.string()).min(1).max(100) }),
]);
type Answer = z.infer<typeof AnswerSchema>;

/**
 * TypeScript plugins, which upstream runs with `tsx` (kaizen.md): the compiler reads what strangers wrote, so it runs in
 * the sandbox; its result is kept by the digest of the files that it was made from.
 */
export function createTypeScript(options: TypeScriptOptions): TypeScript {
  const bundles = join(options.cacheDirectory, 'typescript');
  const running = new Map<string, Promise<PreparedTypeScript>>();
  const tools = findTools();

  const make = async (plugin: TypeScriptPlugin, place: string): Promise<PreparedTypeScript> => {
    const answer = await ask(options, tools, [plugin.directory, 'bundle', plugin.main]);
    if (!answer.ok) return { ok: false, problems: answer.problems.map(oneLine) };
    const foreign = answer.inputs.find(({ file, sha256 }) => !Object.hasOwn(plugin.files, file) || plugin.files[file] !== sha256);
    if (foreign) {
      return { ok: false, problems: [`"${oneLine(foreign.file)}" is not one of the plugin’s files as they were read: reload the plugin`] };
    }
    store(place, plugin.directory, answer.code);
    pruneBundles(bundles, { keep: MAX_BUNDLES, except: place });
    return existsSync(join(place, 'main.mjs'))
      ? describe(place, plugin.directory)
      : { ok: false, problems: [`the module that was made of it cannot be kept in "${place}"`] };
  };

  return {
    prepare(plugin) {
      const { directory, main, files } = plugin;
      const content = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
      const key = sha256Hex(JSON.stringify([BUNDLE_VERSION, tools?.version, directory, main, content]));
      const place = join(bundles, key);
      if (existsSync(join(place, 'main.mjs'))) return Promise.resolve(describe(place, directory));
      const known = running.get(key);
      if (known) return known;
      const made = make(plugin, place).finally(() => running.delete(key));
      running.set(key, made);
      return made;
    },
    async check(directory, files) {
      if (files.length === 0) return [];
      const answer = await ask(options, tools, [directory, 'check', ...files]);
      return answer.ok ? [] : answer.problems.map(oneLine);
    },
  };
}

interface Tools {
  readonly library: string;
  readonly program: string;
  readonly version: string;
}

/** esbuild as it is installed beside us: its library, and the program for this machine. */
function findTools(): Tools | undefined {
  try {
    const packageFile = createRequire(import.meta.url).resolve('esbuild/package.json');
    const program = createRequire(packageFile).resolve(`@esbuild/${process.platform}-${process.arch}/bin/esbuild`);
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(packageFile, 'utf8')));
    return { library: realpathSync(join(dirname(packageFile), 'lib/main.js')), program: realpathSync(program), version };
  } catch {
    return undefined;
  }
}

/** Runs the compiler on a plugin’s files. Whatever goes wrong is a problem of these files. */
async function ask(options: TypeScriptOptions, tools: Tools | undefined, task: readonly string[]): Promise<Answer> {
  const fail = (problem: string): Answer => ({ ok: false, problems: [problem] });
  const node = options.interpreters.find('typescript');
  if (!node.ok) return fail(node.reason);
  if (!tools) {
    return fail(`there is no esbuild for ${process.platform}-${process.arch}: install plugbridge again, with optional packages`);
  }
  const runner = join(options.loadersDirectory, 'bundle.cjs');
  const [directory = ''] = task;
  const run = await runTool(options.sandbox, {
    command: [node.program, runner, tools.library, tools.program, ...task],
    mounts: [...node.mounts, ...[runner, tools.library, tools.program].map(readOnly)],
    pluginDirectory: directory,
    maxOutputBytes: MAX_BUNDLE_BYTES,
  });
  if (!run.ok) return fail(`its TypeScript cannot be compiled: ${run.reason}`);
  try {
    return AnswerSchema.parse(JSON.parse(run.stdout));
  } catch (error) {
    return fail(`its TypeScript cannot be compiled: the compiler’s answer is unreadable: ${oneLine(reasonOf(error))}`);
  }
}

function store(place: string, directory: string, code: string): void {
  try {
    mkdirSync(place, { recursive: true, mode: 0o700 });
    // Where nothing can be mounted elsewhere, Node.js follows this link to the packages; elsewhere it is not looked at.
    if (!existsSync(join(place, 'node_modules'))) symlinkSync(join(directory, 'node_modules'), join(place, 'node_modules'));
  } catch {
    // Left by another process that makes the same, or the cache cannot be written, which shows when the file is missing.
  }
  // Sandboxed processes of a server that runs as root have another user.
  tryWriteCacheFile(join(place, 'main.mjs'), code, 0o644);
}

function describe(place: string, directory: string): PreparedTypeScript {
  const packages = join(directory, 'node_modules');
  const mounts = [
    { ...readOnly(realpathSync(join(place, 'main.mjs'))), target: `${INSIDE}/main.mjs` },
    ...(isPlainDirectory(packages) ? [{ ...readOnly(packages), target: `${INSIDE}/node_modules` }] : []),
  ];
  return { ok: true, mainFile: `${INSIDE}/main.mjs`, mounts };
}

const readOnly = (path: string): SandboxMount => ({ source: path, target: path, access: 'read' });

function isPlainDirectory(path: string): boolean {
  try {
    return realpathSync(path) === path;
  } catch {
    return false;
  }
}
