import { homedir } from 'node:os';
import { join } from 'node:path';

/** How the server is reached: started by the client, or over HTTP. */
export type ServerEntry =
  | { readonly transport: 'stdio'; readonly command: string; readonly args: readonly string[] }
  | { readonly transport: 'http'; readonly url: string; readonly token: string };

export type Scope = 'project' | 'user';

interface ClientKind {
  readonly title: string;
  /** Where servers stand in the client’s file. */
  readonly key: string;
  file(scope: Scope, directory: string): string;
  entry(server: ServerEntry): Record<string, unknown>;
}

const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` });

/** The clients that `connect` knows, with their files and shapes (mcp.md §6). */
export const CLIENTS = {
  'claude-code': {
    title: 'Claude Code',
    key: 'mcpServers',
    file: (scope, directory) => (scope === 'project' ? join(directory, '.mcp.json') : join(homedir(), '.claude.json')),
    entry: (server) =>
      server.transport === 'stdio'
        ? { type: 'stdio', command: server.command, args: server.args }
        : { type: 'http', url: server.url, headers: bearer(server.token) },
  },
  cursor: {
    title: 'Cursor',
    key: 'mcpServers',
    file: (scope, directory) => join(scope === 'project' ? directory : homedir(), '.cursor', 'mcp.json'),
    entry: (server) =>
      server.transport === 'stdio' ? { command: server.command, args: server.args } : { url: server.url, headers: bearer(server.token) },
  },
  zed: {
    title: 'Zed',
    key: 'context_servers',
    file: (scope, directory) =>
      scope === 'project'
        ? join(directory, '.zed', 'settings.json')
        : join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'zed', 'settings.json'),
    entry: (server) =>
      server.transport === 'stdio'
        ? { command: server.command, args: server.args, env: {} }
        : { url: server.url, headers: bearer(server.token) },
  },
} as const satisfies Record<string, ClientKind>;
export type ClientName = keyof typeof CLIENTS;

/** What a person pastes into the client’s file. */
export function formatSnippet(client: ClientName, name: string, server: ServerEntry): string {
  const kind: ClientKind = CLIENTS[client];
  return JSON.stringify({ [kind.key]: { [name]: kind.entry(server) } }, undefined, 2);
}
