import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { startProgram, usePlace, type Place, type Started } from '../helpers/built-cli.ts';
import { hasProgram } from '../helpers/interpreters.ts';
import { connectClient } from '../helpers/mcp-clients.ts';
import { findByCommand, listDescendants, stillAlive } from '../helpers/process-tree.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { cloneInto, npmEnvironment } from './clone.ts';
import { SAMPLE_CALLS } from './sample-calls.ts';

/** `npm start` with the packages that npm’s cache holds already. */
function startNpm(place: Place, clone: string): Started {
  return startProgram('npm', ['start'], {
    cwd: clone,
    environment: {
      ...place.environment,
      PLUGBRIDGE_HTTP: '127.0.0.1:0',
      ...npmEnvironment(),
    },
  });
}

/** Whatever a failed test has left. */
function killAll(pid: number): void {
  for (const one of listDescendants(pid)) process.kill(one.pid, 'SIGKILL');
}

test('npm start in a fresh clone prints address, token and snippet, serves, and leaves nothing behind', { timeout: 300_000 }, async () => {
  const place = usePlace();
  const clone = join(place.base, 'clone');
  cloneInto(clone);
  expect(existsSync(join(clone, 'node_modules'))).toBe(false);
  expect(existsSync(join(clone, 'plugins/vault/vault.wasm'))).toBe(false);

  const started = startNpm(place, clone);
  onTestFinished(() => killAll(started.pid));
  await started.heard(/Ctrl-C stops the server\./);
  const { stdout } = started.said;
  const [, url = ''] = /^Address {2}(http:\/\/127\.0\.0\.1:\d+\/mcp)$/m.exec(stdout) ?? [];
  const [, token = ''] = /^Token {4}(\S{43})$/m.exec(stdout) ?? [];
  expect(stdout).toMatch(/^plugbridge \d+\.\d+\.\d+: \d+ tools of \d+ plugins$/m);
  const [snippet = ''] = /^\{$[\s\S]*?^\}$/m.exec(stdout) ?? [];
  expect(JSON.parse(snippet)).toEqual({
    mcpServers: { plugins: { type: 'http', url, headers: { Authorization: `Bearer ${token}` } } },
  });

  const client = await connectClient('auto', { kind: 'http', url, token });
  const scripts = ['plugin_json-transform_run', ...(hasProgram('python') ? ['plugin_csv-chart_draw'] : [])];
  expect((await client.listTools()).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['plugin_vault_capture', 'plugin_wikipedia_search', ...scripts]),
  );
  if (HAS_BUBBLEWRAP) {
    const { tool, args, answer } = SAMPLE_CALLS['json-transform'];
    expect((await client.call(tool, args)).structuredContent).toMatchObject(answer);
  }
  const status = await client.call('plugin_vault_status');
  expect(status.content[0]?.text).toContain('no vault in');
  await client.close();

  const everything = listDescendants(started.pid);
  expect(everything.length).toBeGreaterThan(1);
  await started.stop('SIGTERM');
  await expect.poll(() => stillAlive(everything), { timeout: 10_000 }).toEqual([]);
  expect(findByCommand(place.base)).toEqual([]);

  // The second start has nothing to install and nothing to compile.
  const again = startNpm(place, clone);
  onTestFinished(() => killAll(again.pid));
  await again.heard(/Ctrl-C stops the server\./);
  expect(again.said.stderr).not.toContain('Installing');
  expect(again.said.stdout).toContain(token);
  const rest = listDescendants(again.pid);
  const server = rest.find(({ command }) => command.includes('scripts/start.mjs') && !command.startsWith('sh '));
  if (!server) throw new Error('no server runs');
  process.kill(server.pid, 'SIGKILL');
  await again.ended;
  await expect.poll(() => stillAlive(rest), { timeout: 10_000 }).toEqual([]);
});
