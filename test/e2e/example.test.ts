import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { DIST, startHttp, usePlace } from '../helpers/built-cli.ts';
import { PLUGINS, REPOSITORY } from '../helpers/guest.ts';
import { connectClient } from '../helpers/mcp-clients.ts';

interface Entry {
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const example = JSON.parse(readFileSync(join(REPOSITORY, 'mcp.json.example'), 'utf8')) as Record<string, Record<string, Entry>>;
const ENTRIES = Object.entries(example).flatMap(([key, servers]) => Object.entries(servers).map(([name, entry]) => ({ key, name, entry })));

describe('mcp.json.example', { timeout: 60_000 }, () => {
  test('has entries for clients with mcpServers and for Zed, over stdio and over HTTP', () => {
    expect(Object.keys(example)).toEqual(expect.arrayContaining(['mcpServers', 'context_servers']));
    for (const key of ['mcpServers', 'context_servers']) {
      const entries = Object.values(example[key] ?? {});
      expect(entries.some((entry) => entry.command !== undefined)).toBe(true);
      expect(entries.some((entry) => entry.url !== undefined)).toBe(true);
    }
  });

  test.for(ENTRIES.filter(({ entry }) => entry.command !== undefined))('$key: $name starts and lists tools', async ({ entry }) => {
    const place = usePlace();
    // Its paths are relative to a clone of the repository.
    const clone = join(place.base, 'clone');
    mkdirSync(clone);
    symlinkSync(DIST, join(clone, 'dist'));
    cpSync(PLUGINS, join(clone, 'plugins'), { recursive: true });
    const variables = Object.entries({ ...place.environment, ...entry.env }).map(([name, value]) => `${name}=${value}`);
    const args = ['-C', clone, '-i', ...variables, entry.command ?? '', ...(entry.args ?? [])];
    const client = await connectClient('auto', { kind: 'stdio', command: 'env', args });
    onTestFinished(() => client.close());
    expect((await client.listTools()).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['plugin_vault_capture', 'plugin_wikipedia_search']),
    );
  });

  test.for(ENTRIES.filter(({ entry }) => entry.url !== undefined))(
    '$key: $name reaches a server once the token is filled in',
    async ({ entry }) => {
      const place = usePlace('vault');
      const http = await startHttp(place);
      onTestFinished(() => http.stop());
      // The port is that of npm start, which may be taken here.
      const url = (entry.url ?? '').replace('127.0.0.1:7411', new URL(http.url).host);
      expect(url).toBe(http.url);
      const header = entry.headers?.['Authorization']?.replace('TOKEN', http.token ?? '') ?? '';
      expect(header).toBe(`Bearer ${http.token}`);
      const client = await connectClient('v1', { kind: 'http', url, token: header.slice('Bearer '.length) });
      onTestFinished(() => client.close());
      expect((await client.listTools()).map(({ name }) => name)).toContain('plugin_vault_capture');
    },
  );
});
