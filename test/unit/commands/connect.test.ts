import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { CLIENTS, formatSnippet, type ClientName } from '../../../src/commands/clients.ts';
import { runConnect, type ConnectOptions } from '../../../src/commands/connect.ts';
import { useTmp } from '../../helpers/tmp.ts';

const HTTP = { url: 'http://127.0.0.1:7000/mcp', token: 't0ken' };

function useConnect() {
  const tmp = useTmp();
  vi.stubEnv('HOME', tmp);
  vi.stubEnv('XDG_CONFIG_HOME', '');
  onTestFinished(() => void vi.unstubAllEnvs());
  const written: string[] = [];
  const notes: string[] = [];
  const options: ConnectOptions = {
    client: 'claude-code',
    scope: 'project',
    name: 'plugins',
    print: false,
    json: false,
    http: undefined,
    serve: { plugins: [], root: undefined, config: undefined, policy: undefined, progressive: false },
    workingDirectory: tmp,
    output: { isTerminal: false, write: (text) => void written.push(text), note: (text) => void notes.push(text) },
  };
  return { tmp, written, notes, run: (over: Partial<ConnectOptions> = {}) => runConnect({ ...options, ...over }) };
}

describe('runConnect()', () => {
  test.for([
    ['claude-code', 'project', '.mcp.json', 'mcpServers'],
    ['claude-code', 'user', '.claude.json', 'mcpServers'],
    ['cursor', 'project', '.cursor/mcp.json', 'mcpServers'],
    ['cursor', 'user', '.cursor/mcp.json', 'mcpServers'],
    ['zed', 'project', '.zed/settings.json', 'context_servers'],
    ['zed', 'user', '.config/zed/settings.json', 'context_servers'],
  ] as const)('%s, %s: enters the server into %s below %s', ([client, scope, name, key]) => {
    const { tmp, run, written } = useConnect();
    expect(run({ client, scope })).toBe(0);
    const file = join(tmp, name);
    const found = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, { command: string; args: string[] }>>;
    expect(Object.keys(found)).toEqual([key]);
    expect(found[key]?.['plugins']).toMatchObject({ command: process.execPath, args: [expect.stringMatching(/^\//) as string, 'serve'] });
    expect(written).toEqual([`Connected ${CLIENTS[client].title}: "plugins" in ${file}`]);
  });

  test('enters the program itself, not the link by which it was called', () => {
    const { tmp, run } = useConnect();
    const [program, link] = [join(tmp, 'cli.js'), join(tmp, 'plugbridge')];
    writeFileSync(program, '');
    symlinkSync('cli.js', link);
    const called = process.argv[1] ?? '';
    process.argv[1] = link;
    onTestFinished(() => void (process.argv[1] = called));
    run();
    const found = JSON.parse(readFileSync(join(tmp, '.mcp.json'), 'utf8')) as { mcpServers: { plugins: { args: string[] } } };
    expect(found.mcpServers.plugins.args).toEqual([program, 'serve']);
  });

  test('says when nothing had to change, and what changed as JSON', () => {
    const { tmp, run, written } = useConnect();
    run();
    run();
    run({ json: true });
    const file = join(tmp, '.mcp.json');
    expect(written[1]).toBe(`Already connected: Claude Code: "plugins" in ${file}`);
    expect(JSON.parse(written[2] ?? '')).toEqual({ client: 'claude-code', file, key: 'mcpServers.plugins', changed: false });
  });

  test('carries the options of serve, paths absolute', () => {
    const { tmp, run, written } = useConnect();
    run({ print: true, serve: { plugins: ['p', '/q'], root: 'r', config: 'c.toml', policy: 'p.toml', progressive: true } });
    const snippet = JSON.parse(written[0] ?? '') as { mcpServers: { plugins: { args: string[] } } };
    expect(snippet.mcpServers.plugins.args.slice(1)).toEqual([
      'serve',
      '--plugins',
      `${tmp}/p`,
      '--plugins',
      '/q',
      '--root',
      `${tmp}/r`,
      '--config',
      `${tmp}/c.toml`,
      '--policy',
      `${tmp}/p.toml`,
      '--progressive',
    ]);
  });

  test('prints without changing anything', () => {
    const { tmp, run } = useConnect();
    expect(run({ print: true })).toBe(0);
    expect(existsSync(join(tmp, '.mcp.json'))).toBe(false);
  });

  test.for(['vim', '', 'constructor', '__proto__'])('refuses the client %o', (client) => {
    const { run, notes } = useConnect();
    expect(run({ client })).toBe(2);
    expect(notes).toEqual([`Cannot connect "${client}": known clients are claude-code, cursor, zed`]);
  });

  test('leaves an unreadable file as it is', () => {
    const { tmp, run } = useConnect();
    writeFileSync(join(tmp, '.mcp.json'), '{ "mcpServers": ');
    expect(() => run()).toThrow(expect.objectContaining({ code: 'CONNECT_UNREADABLE' }));
    expect(readFileSync(join(tmp, '.mcp.json'), 'utf8')).toBe('{ "mcpServers": ');
  });
});

describe('formatSnippet() over HTTP', () => {
  test.for([
    ['claude-code', { mcpServers: { plugins: { type: 'http', url: HTTP.url, headers: { Authorization: 'Bearer t0ken' } } } }],
    ['cursor', { mcpServers: { plugins: { url: HTTP.url, headers: { Authorization: 'Bearer t0ken' } } } }],
    ['zed', { context_servers: { plugins: { url: HTTP.url, headers: { Authorization: 'Bearer t0ken' } } } }],
  ] as const)('%s', ([client, wanted]) => {
    expect(JSON.parse(formatSnippet(client satisfies ClientName, 'plugins', { transport: 'http', ...HTTP }))).toEqual(wanted);
  });
});
