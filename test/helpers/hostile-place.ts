import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, linkSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll } from 'vitest';

import { createHost, type Host } from '../../src/host.ts';
import { createLog } from '../../src/log.ts';
import { writeFiles } from '../fixtures/manifests/write-plugin.ts';
import { DIST } from './built-cli.ts';
import { LOADERS } from './script-host.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/plugins/hostile/', import.meta.url));

interface Variant {
  readonly language: 'python' | 'node' | 'bash' | 'ruby';
  readonly limits?: string;
  readonly plugin?: (place: { readonly granted: number }) => string;
}

/** The hostile plugins: one script for each language, with different permissions and limits. */
const VARIANTS = {
  python: { language: 'python' },
  /** For what never ends by itself. */
  'python-brief': { language: 'python', limits: 'timeout = 0.8' },
  /** The root is granted, for reading and writing. */
  'python-root': { language: 'python', plugin: () => 'permissions = ["file_read", "file_write"]' },
  /** One port of the machine is granted. */
  'python-net': { language: 'python', plugin: ({ granted }) => `capabilities = ["net:127.0.0.1:${granted}"]` },
  /** Fills its own data directory. */
  'python-data': { language: 'python' },
  'python-small-output': { language: 'python', limits: 'output_mb = 1' },
  node: { language: 'node', limits: 'output_mb = 1' },
  'node-brief': { language: 'node', limits: 'timeout = 0.8' },
  bash: { language: 'bash', limits: 'output_mb = 1' },
  'bash-brief': { language: 'bash', limits: 'timeout = 0.8' },
  ruby: { language: 'ruby', limits: 'output_mb = 1' },
  'ruby-brief': { language: 'ruby', limits: 'timeout = 0.8' },
} as const satisfies Record<string, Variant>;
export type HostilePlugin = keyof typeof VARIANTS;

const MAIN = { python: 'main.py', node: 'main.mjs', bash: 'main.sh', ruby: 'main.rb' } as const;
const COMMAND = '[[commands]]\nname = "go"\ndescription = "Goes"\n';
/** Bytes enough for an interpreter and too few for a bomb. */
const MEMORY_MB = 128;
const HARMLESS = `import json, os, sys
arguments = json.load(sys.stdin)
print(json.dumps({"echo": arguments, "leftovers": sorted(os.listdir(".") + os.listdir("/tmp") + os.listdir("/dev/shm")), "pids": len([name for name in os.listdir("/proc") if name.isdigit()])}))
`;

/** What every sandbox has in its `/tmp`: the way to our loaders, when this repository itself lies there. */
export const SHOWN_IN_TMP: readonly string[] = LOADERS.startsWith('/tmp/') ? LOADERS.split('/').slice(2, 3) : [];

/** What the suite looks for where it must not be. */
export const SECRET = 'hostile-canary-7f3a9c';

/** A machine for hostile plugins: secrets that they must not see, and things that must stay as they are. */
export interface HostilePlace {
  readonly base: string;
  readonly root: string;
  readonly plugins: string;
  /** A file with the secret, outside of everything. */
  readonly secretFile: string;
  /** More files with it, where people and servers keep theirs. */
  readonly secretFiles: readonly string[];
  readonly host: Host;
  readonly ports: { readonly granted: number; readonly other: number };
  readonly sockets: readonly string[];
  readonly abstractSockets: readonly string[];
  /** Of processes outside that must not be reached. */
  readonly processes: readonly number[];
  /** What arrived at the port and the sockets that nobody was granted. */
  readonly intrusions: string[];
}

/** Two places for all tests of a file: one whose host starts nothing ahead, and one whose host does. */
export interface HostilePlaces {
  readonly cold: HostilePlace;
  readonly pooled: HostilePlace;
}

export function useHostilePlaces(): () => HostilePlaces {
  let places: HostilePlaces | undefined;
  const closing: (() => unknown)[] = [];
  beforeAll(async () => {
    // Where the tests run as root, scripts run as nobody in the one place and, for nobody may read its plugins, as root in the other.
    const cold = await makeHostilePlace(closing, { prestarted: 0, mode: 0o755 });
    places = { cold, pooled: await makeHostilePlace(closing, { prestarted: 3, mode: 0o700 }) };
  });
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  });
  return () => {
    if (!places) throw new Error('the places are made before the tests');
    return places;
  };
}

async function makeHostilePlace(
  closing: (() => unknown)[],
  { prestarted, mode }: { prestarted: number; mode: number },
): Promise<HostilePlace> {
  // Not below /tmp: in a sandbox that is a writable directory of its own, and so would be the way to the plugins.
  const base = realpathSync(mkdtempSync(join('/var/tmp', 'plugbridge-hostile-')));
  closing.push(() => rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }));
  chmodSync(base, mode);
  const [root, plugins] = [join(base, 'root'), join(base, 'plugins')];
  const intrusions: string[] = [];
  const note = (what: string) => void intrusions.push(what);

  const other = await listenHttp(closing, (request, response) => {
    note(`${request.method} ${request.url}`);
    response.end(SECRET);
  });
  const granted = await listenHttp(closing, (request, response) => {
    if (request.url === '/redirect') response.writeHead(302, { location: `http://127.0.0.1:${other}/redirected` }).end();
    else response.end(`hello ${request.url === '/host' ? request.headers.host : ''}`);
  });
  writeCanaries(base);
  const socketFile = join(root, 'agent.sock');
  const abstractName = basename(base);
  for (const path of [socketFile, `\0${abstractName}`, join(base, 'outside.sock')]) await listenUnix(closing, path, note);
  chmodSync(socketFile, 0o777);

  for (const [name, variant] of Object.entries<Variant>(VARIANTS)) {
    const { language, limits = '', plugin } = variant;
    cpSync(join(FIXTURES, language), join(plugins, name), { recursive: true });
    const head = `[plugin]\nname = "${name}"\nversion = "1.0.0"\ndescription = "Hostile"\nruntime = "${language}"\nmain = "${MAIN[language]}"`;
    const table = `[plugin.limits]\nmemory_mb = ${MEMORY_MB}\n${limits.includes('timeout') ? '' : 'timeout = 25\n'}${limits}`;
    writeFiles(join(plugins, name), { 'PLUGIN.toml': `${head}\n${plugin?.({ granted }) ?? ''}\n${table}\n${COMMAND}` });
  }
  writeFiles(join(plugins, 'harmless'), { 'harmless.py': HARMLESS });
  for (const name of readdirSync(plugins))
    for (const file of readdirSync(join(plugins, name))) chmodSync(join(plugins, name, file), mode & 0o644);

  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)', SECRET], {
    env: { PLUGBRIDGE_SECRET: SECRET },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  await once(bystander, 'spawn');
  closing.push(async () => {
    const ended = once(bystander, 'close');
    bystander.kill('SIGKILL');
    await ended;
  });

  const own = join(base, 'own');
  writeFiles(own, {
    'config/config.toml': `[scripts]\nprestarted = ${prestarted}\nprestarted_memory_mb = 1024\ndata_mb = 8\n`,
    'config/policy.toml': ['script_execution', 'file_read', 'file_write', 'network'].map((key) => `${key} = "allow"\n`).join(''),
    'state/token': SECRET,
    'data/plugin-data/neighbour/notes.txt': SECRET,
  });
  const host = createHost({
    plugins: [plugins],
    root,
    configFile: undefined,
    policyFile: undefined,
    environment: { PLUGBRIDGE_HOME: own, PATH: process.env['PATH'], PLUGBRIDGE_SECRET: SECRET, AWS_SECRET_ACCESS_KEY: SECRET },
    workingDirectory: root,
    scriptLoaders: LOADERS,
    wasmHostScript: join(DIST, 'wasm-host.js'),
    log: createLog('silent'),
  });
  closing.push(() => host.close());
  const networked = host.catalog.current().findPlugin('python-net')?.plugin;
  if (networked) host.grants.add(networked, [`net:127.0.0.1:${granted}`]);

  return {
    base,
    root,
    plugins,
    secretFile: join(base, 'outside/secret.txt'),
    secretFiles: [
      'own/state/token',
      'own/data/plugin-data/neighbour/notes.txt',
      'outside/secret.txt',
      'home/.ssh/id_ed25519',
      'root/.env',
    ].map((name) => join(base, name)),
    host,
    ports: { granted, other },
    sockets: [socketFile, join(base, 'outside.sock')],
    abstractSockets: [abstractName],
    processes: [process.pid, process.ppid, bystander.pid ?? process.pid],
    intrusions,
  };
}

function writeCanaries(base: string): void {
  writeFiles(base, {
    'outside/secret.txt': SECRET,
    'outside/canary.txt': 'as it was',
    'home/.ssh/id_ed25519': SECRET,
    'root/notes.txt': 'notes',
    'root/.env': SECRET,
    'root/.env.local': SECRET,
    'root/.ssh/id_rsa': SECRET,
    'root/deep/er/id_ed25519': SECRET,
    'root/deep/er/.npmrc': SECRET,
    'root/.git/config': '[core]\n',
    'root/.git/hooks/pre-commit.sample': '#!/bin/sh\n',
    'root/.mcp.json': '{}',
    'root/.vscode/tasks.json': '{}',
  });
  symlinkSync(join(base, 'outside/secret.txt'), join(base, 'root/link.txt'));
  symlinkSync(join(base, 'outside'), join(base, 'root/linked'));
  symlinkSync('.env', join(base, 'root/env-link'));
  // A second name for a file that is outside.
  linkSync(join(base, 'outside/canary.txt'), join(base, 'outside/canary-link.txt'));
  // The script may be another user than the owner of these files.
  for (const path of ['root', 'root/notes.txt', 'root/.git', 'root/.git/config', 'root/.git/hooks', 'root/.mcp.json', 'root/.vscode'])
    chmodSync(join(base, path), 0o777);
}

async function listenHttp(closing: (() => unknown)[], listener: RequestListener): Promise<number> {
  const server = createHttpServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    return endServer(server);
  });
  return (server.address() as AddressInfo).port;
}

async function listenUnix(closing: (() => unknown)[], path: string, note: (what: string) => void): Promise<void> {
  const server = createServer((socket) => {
    note(`connection to ${path}`);
    socket.on('error', () => undefined);
    socket.destroy();
  });
  server.listen(path);
  await once(server, 'listening');
  closing.push(() => endServer(server));
}

async function endServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}
