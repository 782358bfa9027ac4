import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { applyEdit, planEdit } from './client-files.ts';
import { CLIENTS, formatSnippet, type ClientName, type Scope, type ServerEntry } from './clients.ts';
import { EXIT } from './exit-codes.ts';
import { writeJson, type Output } from './output.ts';

export interface ConnectOptions {
  readonly client: string;
  readonly scope: Scope;
  /** The key of the entry; `plugins` makes a tool `mcp__plugins__plugin_vault_capture` (DESIGN.md, “server key”). */
  readonly name: string;
  /** Only show what would be written. */
  readonly print: boolean;
  readonly json: boolean;
  readonly http: { readonly url: string; readonly token: string } | undefined;
  /** Options of `serve` that the entry carries. */
  readonly serve: {
    readonly plugins: readonly string[];
    readonly root: string | undefined;
    readonly config: string | undefined;
    readonly policy: string | undefined;
    readonly progressive: boolean;
  };
  readonly workingDirectory: string;
  readonly output: Output;
}

/** `plugbridge connect CLIENT`: enters the server into the client’s configuration, or prints the entry. */
export function runConnect(options: ConnectOptions): number {
  const { output } = options;
  if (!isClient(options.client)) {
    output.note(`Cannot connect "${options.client}": known clients are ${Object.keys(CLIENTS).join(', ')}`);
    return EXIT.usage;
  }
  const kind = CLIENTS[options.client];
  const server: ServerEntry = options.http
    ? { transport: 'http', ...options.http }
    : // Editors started from a desktop have no shell’s PATH, so both paths are absolute.
      { transport: 'stdio', command: process.execPath, args: [findCli(), ...serveArguments(options)] };
  if (options.print) {
    output.write(formatSnippet(options.client, options.name, server));
    return EXIT.ok;
  }
  const edit = planEdit(kind.file(options.scope, options.workingDirectory), [kind.key, options.name], kind.entry(server));
  const changed = edit.before !== edit.after;
  if (changed) applyEdit(edit);
  if (options.json) writeJson(output, { client: options.client, file: edit.file, key: `${kind.key}.${options.name}`, changed });
  else output.write(`${changed ? 'Connected' : 'Already connected:'} ${kind.title}: "${options.name}" in ${edit.file}`);
  return EXIT.ok;
}

function serveArguments({ serve, workingDirectory }: ConnectOptions): string[] {
  const absolute = (path: string): string => resolve(workingDirectory, path);
  return [
    'serve',
    ...serve.plugins.flatMap((path) => ['--plugins', absolute(path)]),
    ...(serve.root === undefined ? [] : ['--root', absolute(serve.root)]),
    ...(serve.config === undefined ? [] : ['--config', absolute(serve.config)]),
    ...(serve.policy === undefined ? [] : ['--policy', absolute(serve.policy)]),
    ...(serve.progressive ? ['--progressive'] : []),
  ];
}

/** The bundled entry point, wherever the package is installed. */
export const findCli = (): string => realpathSync(process.argv[1] ?? fileURLToPath(import.meta.url));

const isClient = (name: string): name is ClientName => Object.hasOwn(CLIENTS, name);
