import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';
import { z } from 'zod';

import { CLIENTS, type ClientName, type ServerEntry } from '../../../src/commands/clients.ts';
import { readPage, REPOSITORY } from '../../helpers/console-examples.ts';

const EntriesSchema = z.record(z.string(), z.record(z.string(), z.unknown()));
const EXAMPLE = z
  .strictObject({ mcpServers: EntriesSchema, context_servers: EntriesSchema })
  .parse(JSON.parse(readPage('mcp.json.example')));

const STDIO: ServerEntry = { transport: 'stdio', command: 'node', args: ['dist/cli.js', 'serve', '--plugins', 'plugins'] };
const HTTP: ServerEntry = { transport: 'http', url: 'http://127.0.0.1:7411/mcp', token: 'TOKEN' };

test.for([
  ['claude-code', EXAMPLE.mcpServers],
  ['cursor', EXAMPLE.mcpServers],
  ['zed', EXAMPLE.context_servers],
] as const satisfies readonly (readonly [ClientName, unknown])[])(
  'mcp.json.example has the entries that connect makes for %s',
  ([client, entries]) => {
    expect(entries).toMatchObject({ plugins: CLIENTS[client].entry(STDIO), 'plugins-http': CLIENTS[client].entry(HTTP) });
  },
);

test('mcp.json.example has nothing that no client asks for', () => {
  expect(EXAMPLE.mcpServers).toEqual({ plugins: CLIENTS['claude-code'].entry(STDIO), 'plugins-http': CLIENTS['claude-code'].entry(HTTP) });
  expect(EXAMPLE.context_servers).toEqual({ plugins: CLIENTS.zed.entry(STDIO), 'plugins-http': CLIENTS.zed.entry(HTTP) });
});

test('mcp.json.example uses the address of npm start and the plugins of this repository', () => {
  expect(readPage('scripts/start.mjs')).toContain("'127.0.0.1:7411'");
  expect(existsSync(join(REPOSITORY, 'plugins', 'vault', 'PLUGIN.toml'))).toBe(true);
});
