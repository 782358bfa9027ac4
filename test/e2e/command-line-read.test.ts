import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { CLI, runCli, runProgram, usePlace } from '../helpers/built-cli.ts';

describe('list and info', { timeout: 60_000 }, () => {
  test('list --json gives the shape that DESIGN.md names', async () => {
    const place = usePlace('vault', 'wikipedia');
    const { exit, stdout, stderr } = await runCli(place, ['list', '--json', ...place.options]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    const plugins = JSON.parse(stdout) as { name: string; tools: { tool: string; command: string; description: string }[] }[];
    expect(plugins.map(({ name }) => name)).toEqual(['vault', 'wikipedia']);
    expect(plugins[0]).toMatchObject({ system: 'agentzero', version: '0.1.0', status: 'ok', tier: expect.stringMatching(/bwrap|process/) });
    expect(plugins[0]?.tools).toHaveLength(9);
    expect(plugins[0]?.tools).toContainEqual({
      tool: 'plugin_vault_capture',
      command: 'capture',
      description: expect.stringContaining('Append a thought'),
    });
    const { stdout: table } = await runCli(place, ['ls', ...place.options]);
    expect(table).toMatch(/^NAME +VERSION +SYSTEM +STATUS +TOOLS +ISOLATION\nvault +0\.1\.0 +agentzero +ok +9 /);
  });

  test('one broken plugin is listed with its reason and hides no other', async () => {
    const place = usePlace('vault', 'wikipedia');
    writeFileSync(join(place.plugins, 'wikipedia/PLUGIN.toml'), '[plugin]\nname = "wikipedia"\nversion = 7\n');
    const { stdout, exit } = await runCli(place, ['list', '--json', ...place.options]);
    expect(exit).toBe(0);
    const [vault, wikipedia] = JSON.parse(stdout) as Record<string, unknown>[];
    expect(vault).toMatchObject({ name: 'vault', status: 'ok' });
    expect(wikipedia).toMatchObject({ name: 'wikipedia', status: 'broken', tools: [], error: expect.stringContaining('version') });
    expect(await runCli(place, ['wikipedia', 'search', 'x', ...place.options])).toMatchObject({
      exit: 3,
      stderr: expect.stringContaining('it is broken'),
    });
  });

  test('finds nothing where nothing is, and says how to name a directory', async () => {
    const place = usePlace();
    expect(await runCli(place, ['list', ...place.options])).toEqual({
      exit: 0,
      stdout: 'No plugins found. Name a directory with --plugins DIR.\n',
      stderr: '',
    });
    expect((await runCli(place, ['list', '--json', ...place.options])).stdout).toBe('[]\n');
  });

  test('info shows requests, grants and tools', async () => {
    const place = usePlace('vault');
    const { stdout } = await runCli(place, ['info', 'vault', '--json', ...place.options]);
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'vault',
      origin: 'flag',
      directory: join(place.plugins, 'vault'),
      grants: [],
      plugin: { requests: ['read:fs:$ROOT', 'write:fs:$ROOT'], runtime: { kind: 'wasm' } },
    });
    expect((await runCli(place, ['info', 'vault', ...place.options])).stdout).toContain('Requests   read:fs:$ROOT write:fs:$ROOT');
    expect(await runCli(place, ['info', 'nobody', ...place.options])).toMatchObject({ exit: 2, stdout: '' });
  });
});

describe('doctor', { timeout: 60_000 }, () => {
  test('finds no problem on a machine that has none', async () => {
    const place = usePlace('vault');
    const { exit, stdout } = await runCli(place, ['doctor', '--json', ...place.options]);
    const { healthy, checks } = JSON.parse(stdout) as { healthy: boolean; checks: { area: string; subject: string; state: string }[] };
    expect({ exit, healthy }).toEqual({ exit: 0, healthy: true });
    expect(new Set(checks.map(({ area }) => area))).toEqual(new Set(['system', 'isolation', 'interpreters', 'files', 'policy', 'plugins']));
    expect(checks).toContainEqual({ area: 'plugins', subject: 'vault', state: 'ok', detail: '9 tools' });
  });

  test('names broken plugins, directories that hold none and directories that are not there', async () => {
    const place = usePlace('vault');
    writeFileSync(join(place.plugins, 'vault/vault.wasm'), 'not a module');
    mkdirSync(join(place.plugins, 'empty'));
    const gone = join(place.base, 'gone');
    const { exit, stdout } = await runCli(place, ['doctor', '--json', ...place.options, '--plugins', gone]);
    const { healthy, checks } = JSON.parse(stdout) as { healthy: boolean; checks: { subject: string; state: string; detail: string }[] };
    expect({ exit, healthy }).toEqual({ exit: 1, healthy: false });
    expect(checks).toContainEqual(
      expect.objectContaining({ subject: 'vault', state: 'problem', detail: expect.stringContaining('broken') }),
    );
    expect(checks).toContainEqual(expect.objectContaining({ subject: 'skipped', detail: expect.stringContaining('it has no manifest') }));
    expect(checks).toContainEqual(expect.objectContaining({ subject: 'search', state: 'problem', detail: expect.stringContaining(gone) }));
  });
});

describe('validate', { timeout: 60_000 }, () => {
  test('passes the samples', async () => {
    const place = usePlace('vault', 'wikipedia');
    for (const name of ['vault', 'wikipedia']) {
      const { exit, stdout } = await runCli(place, ['validate', join(place.plugins, name), '--json']);
      expect(exit).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ ok: true, name, problems: [] });
    }
    const vault = join(place.plugins, 'vault');
    expect((await runCli(place, ['validate', vault, '--no-run'])).stdout).toBe('ok       vault 0.1.0, 9 commands\n');
    const tried = await runCli(place, ['validate', vault, ...place.options]);
    expect(tried.exit).toBe(0);
    expect(tried.stdout).toMatch(/^not-run {2}init \(derived\): it may change something/m);
    expect(readdirSync(place.root)).toEqual([]);
    expect((await runCli(place, ['validate', '../plugins/vault'])).exit).toBe(0);
  });

  test.for<[what: string, file: string, content: string, problem: RegExp]>([
    ['a manifest that is not TOML', 'PLUGIN.toml', '[plugin\n', /PLUGIN\.toml|TOML/],
    ['a manifest without a version', 'PLUGIN.toml', '[plugin]\nname = "vault"\ndescription = "x"\n', /version/],
    ['a module that is none', 'vault.wasm', 'MZ', /vault\.wasm|module|magic/i],
  ])('reports %s with exit code 1', async ([, file, content, problem]) => {
    const place = usePlace('vault');
    writeFileSync(join(place.plugins, 'vault', file), content);
    const { exit, stdout } = await runCli(place, ['validate', join(place.plugins, 'vault'), '--json']);
    const found = JSON.parse(stdout) as { ok: boolean; problems: string[] };
    expect({ exit, ok: found.ok }).toEqual({ exit: 1, ok: false });
    expect(found.problems.join('\n')).toMatch(problem);
  });

  test('reports a directory that is not there or holds no plugin', async () => {
    const place = usePlace();
    expect((await runCli(place, ['validate', join(place.base, 'gone')])).exit).toBe(1);
    expect((await runCli(place, ['validate', place.plugins])).exit).toBe(1);
  });
});

describe('connect', { timeout: 60_000 }, () => {
  const FILES = {
    'claude-code': ['.mcp.json', 'mcpServers'],
    cursor: ['.cursor/mcp.json', 'mcpServers'],
    zed: ['.zed/settings.json', 'context_servers'],
  } as const;

  test.for(Object.entries(FILES))(
    'enters the server for %s, keeps the rest and repeats without a change',
    async ([client, [file, key]]) => {
      const place = usePlace('vault');
      const path = join(place.root, file);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, `{\n  // mine\n  "other": 1\n}\n`);
      const connect = (...more: string[]) => runCli(place, ['connect', client, '--scope', 'project', ...place.options, ...more]);
      expect((await connect()).exit).toBe(0);
      const written = readFileSync(path, 'utf8');
      expect(written).toContain('// mine');
      expect(written).toContain('"other": 1');
      const { [key]: servers } = JSON.parse(written.replace('// mine', '')) as Record<
        string,
        Record<string, { command: string; args: string[] }>
      >;
      const { command = '', args = [] } = servers?.['plugins'] ?? {};
      expect(args.slice(1)).toEqual(['serve', ...place.options]);
      expect((await connect()).exit).toBe(0);
      expect(readFileSync(path, 'utf8')).toBe(written);
      expect((await connect('--name', 'second')).exit).toBe(0);
      expect(readFileSync(path, 'utf8')).toContain('"second"');
      // What was entered starts.
      const initialize = {
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
      };
      const served = await runProgram(command, args, { environment: place.environment, input: `${JSON.stringify(initialize)}\n` });
      expect(JSON.parse(served.stdout)).toMatchObject({ id: 1, result: { serverInfo: { name: 'plugbridge' } } });
    },
  );

  test.for(Object.entries(FILES))('prints the entry for %s and changes nothing', async ([client, [file]]) => {
    const place = usePlace();
    const { exit, stdout } = await runCli(place, ['connect', client, '--scope', 'project', '--print', ...place.options]);
    expect(exit).toBe(0);
    expect(stdout).toContain('"serve"');
    expect(() => readFileSync(join(place.root, file))).toThrow('ENOENT');
  });

  test('leaves a file alone that it does not understand, and refuses other clients', async () => {
    const place = usePlace();
    const path = join(place.root, '.mcp.json');
    writeFileSync(path, '{ "mcpServers": ');
    expect(await runCli(place, ['connect', 'claude-code', '--scope', 'project'])).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('CONNECT_UNREADABLE'),
    });
    expect(readFileSync(path, 'utf8')).toBe('{ "mcpServers": ');
    expect((await runCli(place, ['connect', 'emacs'])).exit).toBe(2);
  });

  test('enters a running server with its token into the user’s file', async () => {
    const place = usePlace();
    expect((await runCli(place, ['connect', 'cursor', '--http', 'http://127.0.0.1:7411/mcp'])).exit).toBe(0);
    const { mcpServers } = JSON.parse(readFileSync(join(place.home, '.cursor/mcp.json'), 'utf8')) as { mcpServers: { plugins: unknown } };
    const token = readFileSync(join(place.own, 'state/token'), 'utf8').trim();
    expect(mcpServers.plugins).toEqual({ url: 'http://127.0.0.1:7411/mcp', headers: { Authorization: `Bearer ${token}` } });
  });
});

describe('the command line', { timeout: 60_000 }, () => {
  test.for<[args: string[], said: RegExp]>([
    [['frobnicate'], /Cannot find the plugin "frobnicate"/],
    [['list', '--bogus'], /unknown option '--bogus'/],
    [['info'], /missing required argument/],
    [['call', 'vault'], /missing required argument/],
    [['audit', 'shred'], /wanted is query or verify/],
    [['audit', '--since', 'yesterday'], /Cannot read the time "yesterday"/],
    [['audit', '--limit', 'x'], /--limit is "x"/],
    [['audit', '--outcome', 'x'], /--outcome/],
    [['audit', 'verify', '--expect', 'x'], /--expect is "x"/],
    [['connect', 'zed', '--scope', 'galaxy'], /--scope/],
  ])('%j is a mistake of usage, exit code 2', async ([args, said]) => {
    const place = usePlace();
    const ran = await runCli(place, args);
    expect(ran.stderr).toMatch(said);
    expect(ran).toMatchObject({ exit: 2, stdout: '' });
  });

  test('names versions, helps, and refuses a root or a configuration that is not there', async () => {
    const place = usePlace();
    expect(await runCli(place, ['--version'])).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
    expect(await runCli(place, ['--help'])).toMatchObject({ exit: 0, stdout: expect.stringContaining('Usage: plugbridge'), stderr: '' });
    expect(await runCli(place, ['list', '--root', join(place.base, 'gone')])).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('CONFIG_ROOT_MISSING'),
    });
    expect(await runCli(place, ['list', '--config', join(place.base, 'gone')])).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('CONFIG_INVALID'),
    });
    expect(await runCli(place, ['serve', '--http', 'nowhere:x'])).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('SERVER_ADDRESS_INVALID'),
    });
    expect(await runCli(place, ['serve', '--http', '0.0.0.0:0', '--no-auth'])).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('SERVER_NO_AUTH_REFUSED'),
    });
  });

  test('works as a linked program and through a pipe that closes early', async () => {
    const place = usePlace('vault', 'wikipedia');
    symlinkSync(CLI, join(place.base, 'plugbridge'));
    chmodSync(CLI, 0o755);
    const script = '"$0" list --plugins "$1" --json | head -n 1; echo "${PIPESTATUS[0]}"';
    const ran = await runProgram('bash', ['-c', script, join(place.base, 'plugbridge'), place.plugins], {
      environment: place.environment,
      cwd: place.root,
    });
    expect(ran).toEqual({ exit: 0, stdout: '[\n0\n', stderr: '' });
    const closed = '"$0" list --plugins "$1" --json | true; echo "${PIPESTATUS[0]}"';
    expect(
      await runProgram('bash', ['-c', closed, join(place.base, 'plugbridge'), place.plugins], {
        environment: place.environment,
        cwd: place.root,
      }),
    ).toEqual({ exit: 0, stdout: '0\n', stderr: '' });
  });

  test.for([
    ['a terminal', {}, true],
    ['a terminal with NO_COLOR', { NO_COLOR: '1' }, false],
  ] as const)('colours on %s', async ([, more, coloured]) => {
    const place = usePlace('vault');
    // script(1) is a terminal for the program it runs.
    const command = `"${process.execPath}" "${CLI}" info vault --plugins "${place.plugins}"`;
    const ran = await runProgram('script', ['-qec', command, '/dev/null'], {
      environment: { ...place.environment, TERM: 'xterm', ...more },
      cwd: place.root,
    });
    expect(ran.exit).toBe(0);
    expect(ran.stdout.includes('\u001b[1m')).toBe(coloured);
    const piped = await runCli(place, ['info', 'vault', ...place.options]);
    expect(piped.stdout).not.toContain('\u001b');
  });

  test('runs without HOME and with a cache that cannot be written', async () => {
    const place = usePlace('vault');
    const ran = await runCli(place, ['list', '--json', ...place.options], { environment: { HOME: undefined } });
    expect(ran).toMatchObject({ exit: 0, stderr: '' });
    // Even root cannot make a directory in the place of a file.
    rmSync(join(place.own, 'cache'), { recursive: true, force: true });
    writeFileSync(join(place.own, 'cache'), '');
    const call = await runCli(place, ['vault', 'status', ...place.options]);
    expect(call.stderr).toContain('EXECUTION_PLUGIN_FAILED: Cannot status: no vault');
    expect((await runCli(place, ['list', ...place.options])).exit).toBe(0);
    const doctor = await runCli(place, ['doctor', '--json', ...place.options]);
    expect(JSON.parse(doctor.stdout).checks).toContainEqual(expect.objectContaining({ area: 'files', subject: 'cache', state: 'warning' }));
    expect(doctor.exit).toBe(0);
  });
});
