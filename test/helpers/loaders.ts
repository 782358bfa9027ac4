import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { createInterpreters, type Interpreters } from '../../src/executors/script/languages/interpreters.ts';
import { toLoaderCommand } from '../../src/executors/script/languages/languages.ts';
import type { Sandbox, SandboxDescription, SandboxMount } from '../../src/executors/sandbox/sandbox.ts';
import type { Language } from '../../src/manifest/plugin.ts';
import { describeSandbox } from './sandbox.ts';

/** Our loaders as they lie in the source. */
export const LOADERS = fileURLToPath(new URL('../../src/executors/script/loaders', import.meta.url));

export const INTERPRETERS = createInterpreters({ configured: {} });

const NONCE = '0123456789abcdef0123456789abcdef';
const MARK = new RegExp(`^([\\s\\S]*)\\x00${NONCE}:(\\d+)\\x00$`);

/** Whether this language can be tested; where not, it says so. */
export function hasInterpreter(language: Language, interpreters = INTERPRETERS): boolean {
  const found = interpreters.find(language);
  if (!found.ok) process.stderr.write(`\n!!! ${language} IS NOT TESTED on this machine: ${found.reason}\n\n`);
  return found.ok;
}

export interface ScriptCase {
  readonly language: Language;
  readonly directory: string;
  /** The script, relative to the directory. */
  readonly main: string;
  readonly stdin?: string | Buffer;
  readonly argument?: string;
  readonly interpreters?: Interpreters;
  /** What is run in place of the script, as it lies inside, and what shows it there. */
  readonly prepared?: { readonly mainFile: string; readonly mounts: readonly SandboxMount[] };
}

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** As the interpreter would be called by hand: the script and its argument. */
export async function runBare(sandbox: Sandbox, script: ScriptCase): Promise<Ran> {
  const { program, mounts } = findProgram(script);
  const argument = script.argument === undefined ? [] : [script.argument];
  const description = describe(script, [program, join(script.directory, script.main), ...argument], mounts);
  return run(sandbox, description, toBytes(script.stdin));
}

export interface LoaderRan extends Ran {
  /** The exit codes in the marks of stdout and stderr; undefined where there is none. */
  readonly marks: readonly (number | undefined)[];
}

/** Through our loader, the header in front of the input. */
export async function runLoaded(sandbox: Sandbox, script: ScriptCase): Promise<LoaderRan> {
  const { program, mounts } = findProgram(script);
  const mainFile = script.prepared?.mainFile ?? join(script.directory, script.main);
  const { command, environment } = toLoaderCommand({
    language: script.language,
    program,
    loadersDirectory: LOADERS,
    pluginDirectory: script.directory,
    mainFile,
  });
  const description = describe(script, command, [...mounts, ...(script.prepared?.mounts ?? [])], environment);
  const { stdout, stderr, code } = await run(sandbox, description, Buffer.concat([toHeader(script.argument), toBytes(script.stdin)]));
  const [out, error] = [MARK.exec(stdout), MARK.exec(stderr)];
  const marks = [out, error].map((match) => (match ? Number(match[2]) : undefined));
  return { stdout: out?.[1] ?? stdout, stderr: error?.[1] ?? stderr, code, marks };
}

/** Its input ends before a header came. */
export async function runWithoutHeader(sandbox: Sandbox, script: ScriptCase): Promise<Ran> {
  const { program, mounts } = findProgram(script);
  const { directory, language, main } = script;
  const place = { program, loadersDirectory: LOADERS, pluginDirectory: directory, mainFile: join(directory, main) };
  const { command, environment } = toLoaderCommand({ language, ...place });
  return run(sandbox, describe(script, command, mounts, environment), Buffer.alloc(0));
}

function toHeader(argument = ''): Buffer {
  const bytes = Buffer.from(argument);
  return Buffer.concat([Buffer.from(`${NONCE} ${bytes.length}\n`), bytes]);
}

/** Writes a script; returns its name. */
export function writeScript(directory: string, main: string, source: string | Buffer): string {
  writeFileSync(join(directory, main), source);
  return main;
}

function describe(
  { directory }: Pick<ScriptCase, 'directory'>,
  command: readonly string[],
  mounts: readonly SandboxMount[],
  environment: Readonly<Record<string, string>> = {},
): SandboxDescription {
  const shown = [directory, LOADERS].map((path) => ({ source: path, target: path, access: 'read' as const }));
  return describeSandbox(command, {
    mounts: [...mounts, ...shown],
    environment: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', HOME: '/tmp', TMPDIR: '/tmp', ...environment },
    limits: { processes: 64, memoryBytes: 512 * 1024 * 1024, descriptors: 256, scratchBytes: 16 * 1024 * 1024 },
  });
}

function findProgram({ language, interpreters = INTERPRETERS }: ScriptCase) {
  const found = interpreters.find(language);
  if (!found.ok) throw new Error(found.reason);
  return found;
}

async function run(sandbox: Sandbox, description: SandboxDescription, input: Buffer): Promise<Ran> {
  const started = await sandbox.spawn(description);
  started.stdin.end(input);
  const [stdout, stderr, exit] = await Promise.all([buffer(started.stdout), buffer(started.stderr), started.exited]);
  return { stdout: stdout.toString('latin1'), stderr: stderr.toString('latin1'), code: exit.code };
}

const toBytes = (input: string | Buffer = ''): Buffer => (typeof input === 'string' ? Buffer.from(input) : input);
