import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { PLUGINS, REPOSITORY } from './guest.ts';
import type { ClientTarget } from './mcp-clients.ts';

/** The built product; `PLUGBRIDGE_TEST_DIST` names another build of it. */
export const DIST = process.env['PLUGBRIDGE_TEST_DIST'] ?? join(REPOSITORY, 'dist');
export const CLI = join(DIST, 'cli.js');

/** A machine of its own for one product: home, workspace and plugins below one temporary directory. */
export interface Place {
  readonly base: string;
  /** `PLUGBRIDGE_HOME`. */
  readonly own: string;
  /** `HOME`. */
  readonly home: string;
  readonly root: string;
  readonly plugins: string;
  readonly audit: string;
  /** Nothing of the tester’s own environment but what programs need to start. */
  readonly environment: Record<string, string>;
  /** The options that most verbs need. */
  readonly options: readonly string[];
  remove(): void;
}

/** Copies the named sample plugins; the caller removes the place. */
export function makePlace(...samples: readonly string[]): Place {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'plugbridge-e2e-')));
  const own = join(base, 'own');
  const home = join(base, 'home');
  const root = join(base, 'root');
  const plugins = join(base, 'plugins');
  for (const directory of [own, home, root, plugins]) mkdirSync(directory);
  for (const name of samples) cpSync(join(PLUGINS, name), join(plugins, name), { recursive: true });
  return {
    base,
    own,
    home,
    root,
    plugins,
    audit: join(own, 'state', 'audit'),
    environment: { PATH: process.env['PATH'] ?? '', HOME: home, LANG: 'C.UTF-8', TZ: 'UTC', PLUGBRIDGE_HOME: own },
    options: ['--plugins', plugins, '--root', root],
    remove: () => rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }),
  };
}

/** A place that is removed when the test ends. */
export function usePlace(...samples: readonly string[]): Place {
  const place = makePlace(...samples);
  onTestFinished(() => place.remove());
  return place;
}

export interface Ran {
  /** The exit code, or the signal. */
  readonly exit: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string;
}

/** Runs a verb to its end and gives what it said, whatever the exit code. */
export async function runCli(place: Place, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return runProgram(process.execPath, [CLI, ...args], {
    cwd: place.root,
    ...options,
    environment: { ...place.environment, ...options.environment },
  });
}

/** Runs any program to its end, with this environment and no other. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { environment = {}, cwd, input }: RunOptions = {},
): Promise<Ran> {
  const child = spawn(program, args, { env: environment, ...(cwd === undefined ? {} : { cwd }), stdio: ['pipe', 'pipe', 'pipe'] });
  const said = collectOutput(child);
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { exit: code ?? signal, ...said };
}

function collectOutput(child: ChildProcess): { stdout: string; stderr: string } {
  const said = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  return said;
}

export interface Started {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly said: { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<unknown>;
  /** Waits for the first match in what it says on either stream; rejects when it ends before. */
  heard(pattern: RegExp): Promise<RegExpExecArray>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a verb that stays; the caller stops it. */
export function startCli(place: Place, args: readonly string[], { environment = {}, cwd }: Omit<RunOptions, 'input'> = {}): Started {
  return startProgram(process.execPath, [CLI, ...args], { cwd: cwd ?? place.root, environment: { ...place.environment, ...environment } });
}

export function startProgram(program: string, args: readonly string[], { environment = {}, cwd }: RunOptions): Started {
  const child = spawn(program, args, { env: environment, ...(cwd === undefined ? {} : { cwd }), stdio: ['pipe', 'pipe', 'pipe'] });
  const said = collectOutput(child);
  child.stdin.on('error', () => {});
  const ended = once(child, 'close');
  return {
    pid: child.pid ?? 0,
    child,
    said,
    ended,
    heard: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(said.stdout) ?? pattern.exec(said.stderr);
          if (found) resolve(found);
        };
        child.stdout.on('data', look);
        child.stderr.on('data', look);
        child.once('close', () => reject(new Error(`ended before it said ${pattern}: ${said.stdout}${said.stderr}`)));
        look();
      }),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}

export interface HttpServer extends Started {
  readonly url: string;
  readonly token: string | undefined;
  readonly target: ClientTarget;
}

/** `plugbridge serve --http` on a free port, once it listens. */
export async function startHttp(place: Place, ...args: readonly string[]): Promise<HttpServer> {
  const started = startCli(place, ['serve', '--http', '0', '--json', ...place.options, ...args]);
  const [line] = await started.heard(/^\{.*\}$/m);
  const { url, token } = JSON.parse(line) as { url: string; token?: string };
  return { ...started, url, token, target: { kind: 'http', url, ...(token === undefined ? {} : { token }) } };
}

/** How a client starts the server over stdio in the place’s environment, which clients do not pass on by themselves. */
export const stdioTarget = (place: Place, ...args: readonly string[]): ClientTarget & { kind: 'stdio' } => ({
  kind: 'stdio',
  command: 'env',
  args: [
    '-i',
    ...Object.entries(place.environment).map(([name, value]) => `${name}=${value}`),
    process.execPath,
    CLI,
    ...place.options,
    ...args,
  ],
});
