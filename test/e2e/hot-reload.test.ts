import { cpSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { Client, type Tool } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import { queryJournal } from '../../src/audit/query.ts';
import { stdioTarget, usePlace, type Place } from '../helpers/built-cli.ts';
import { writeFiles } from '../fixtures/manifests/write-plugin.ts';
import { PLUGINS } from '../helpers/guest.ts';
import { hasProgram } from '../helpers/interpreters.ts';
import { connectClient } from '../helpers/mcp-clients.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { textOf } from './sample-calls.ts';
import { addWorkbench, buildWorkbench, changeAnswer } from './workbench.ts';

interface Watched {
  readonly place: Place;
  readonly workbench: string;
  readonly client: Client;
  /** Notifications of a changed tool list so far. */
  changes(): number;
  /** Waits until the server has reloaded once more. */
  reloaded(): Promise<void>;
  say(text: string): Promise<string>;
  tools(): Promise<Tool[]>;
}

beforeEach(async () => void (await buildWorkbench()));

/** A client over stdio, connected to a server that watches its plugins already. */
async function openWatched(): Promise<Watched> {
  const place = usePlace('vault');
  const workbench = await addWorkbench(place.plugins);
  let changes = 0;
  const client = new Client({ name: 'watcher', version: '1' });
  client.setNotificationHandler('notifications/tools/list_changed', () => void changes++);
  const target = stdioTarget(place);
  await client.connect(new StdioClientTransport({ command: target.command, args: [...target.args], stderr: 'inherit' }));
  onTestFinished(() => client.close());
  const textOf = (result: Awaited<ReturnType<Client['callTool']>>): string =>
    (result.content as { text?: string }[]).map(({ text }) => text ?? '').join('\n');
  let seen = 0;
  const watched: Watched = {
    place,
    workbench,
    client,
    changes: () => changes,
    async reloaded() {
      await expect.poll(() => countReloads(place), { timeout: 10_000, interval: 50 }).toBeGreaterThan(seen);
      seen = await countReloads(place);
    },
    say: async (text) => textOf(await client.callTool({ name: 'plugin_workbench_say', arguments: { text } })),
    tools: async () => (await client.listTools()).tools,
  };
  await seeWatching(place, watched.tools);
  await expect.poll(() => changes, { timeout: 5_000 }).toBeGreaterThanOrEqual(2);
  seen = await countReloads(place);
  changes = 0;
  return watched;
}

async function countReloads(place: Place): Promise<number> {
  let count = 0;
  for await (const record of queryJournal({ directory: place.audit, filter: {} }))
    if (record.kind === 'event' && record.event === 'catalog-reloaded') count++;
  return count;
}

/** A plugin that comes and goes shows that the watcher is at work. */
async function seeWatching(place: Place, tools: () => Promise<readonly { name: string }[]>): Promise<void> {
  const probe = join(place.plugins, 'probe');
  const before = (await tools()).length;
  await expect
    .poll(
      async () => {
        cpSync(join(PLUGINS, 'vault'), probe, { recursive: true });
        const manifest = readFileSync(join(probe, 'PLUGIN.toml'), 'utf8');
        writeFileSync(join(probe, 'PLUGIN.toml'), manifest.replace('name = "vault"', 'name = "probe"'));
        return (await tools()).some(({ name }) => name === 'plugin_probe_status');
      },
      { timeout: 15_000, interval: 400 },
    )
    .toBe(true);
  rmSync(probe, { recursive: true });
  await expect.poll(async () => (await tools()).length, { timeout: 10_000 }).toBe(before);
}

const TIMEOUT = { timeout: 60_000 };

test('a plugin that is added, changed and removed changes the list, with one notification each', TIMEOUT, async () => {
  const { place, changes, tools } = await openWatched();
  const newcomer = join(place.plugins, 'wikipedia');
  cpSync(join(import.meta.dirname, '../../plugins/wikipedia'), newcomer, { recursive: true });
  await expect.poll(async () => (await tools()).map(({ name }) => name)).toContain('plugin_wikipedia_search');
  await expect.poll(changes).toBe(1);

  const manifest = join(newcomer, 'PLUGIN.toml');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('Search Wikipedia for a term', 'Look for a term in Wikipedia'));
  await expect
    .poll(async () => (await tools()).find(({ name }) => name === 'plugin_wikipedia_search')?.description)
    .toContain('Look for a term in Wikipedia');
  await expect.poll(changes).toBe(2);

  rmSync(newcomer, { recursive: true });
  await expect.poll(async () => (await tools()).map(({ name }) => name)).not.toContain('plugin_wikipedia_search');
  await expect.poll(changes).toBe(3);
});

test('a plugin that breaks keeps its last good version, and is mended again', TIMEOUT, async () => {
  const { workbench, changes, reloaded, say, tools } = await openWatched();
  const manifest = join(workbench, 'PLUGIN.toml');
  const good = readFileSync(manifest, 'utf8');
  const before = await tools();
  writeFileSync(manifest, '[plugin\nname =');
  await reloaded();
  expect(await tools()).toEqual(before);
  expect(await say('still here')).toBe('still here');
  writeFileSync(join(workbench, 'workbench.wasm'), 'no module');
  writeFileSync(manifest, good);
  expect(await say('and here')).toBe('and here');
  rmSync(join(workbench, 'workbench.wasm'));
  expect(await say('even now')).toBe('even now');
  expect(changes()).toBe(0);
});

test('a file that is touched without a change notifies nobody', TIMEOUT, async () => {
  const { workbench, changes, reloaded, place } = await openWatched();
  const manifest = join(workbench, 'PLUGIN.toml');
  const later = new Date(Date.now() + 5_000);
  utimesSync(manifest, later, later);
  writeFileSync(manifest, readFileSync(manifest));
  writeFileSync(join(place.plugins, 'vault', 'notes.txt'), 'not part of the plugin');
  // A change that is one, at last, tells that those before were seen.
  writeFileSync(join(place.plugins, 'vault/PLUGIN.toml'), '[plugin');
  await reloaded();
  expect(changes()).toBe(0);
});

test('a call in flight finishes on the version it began with, the next one has the new', TIMEOUT, async () => {
  const { client, workbench, place, reloaded } = await openWatched();
  const wait = (path: string, onprogress?: () => void) =>
    client.callTool({ name: 'plugin_workbench_wait', arguments: { path } }, { timeout: 30_000, ...(onprogress ? { onprogress } : {}) });
  let result: ReturnType<typeof wait> | undefined;
  await new Promise<void>((resolve) => {
    result = wait('release', resolve);
  });
  changeAnswer(workbench, 'workbench-2');
  await reloaded();
  writeFileSync(join(place.root, 'release'), '');
  expect((await result)?.content).toEqual([{ type: 'text', text: 'workbench-1' }]);
  expect((await wait('release')).content).toEqual([{ type: 'text', text: 'workbench-2' }]);
});

describe.skipIf(!HAS_BUBBLEWRAP || !hasProgram('python'))('a script that loads what the watcher does not see', () => {
  test.for(['a/b/c/d/e/f/g/words.py', 'target/words.py'])(
    'is refused by the first call after %s has changed, and runs as it is then by the next',
    TIMEOUT,
    async (file) => {
      const place = usePlace();
      const directory = join(place.plugins, 'deep');
      const load = `sys.path.insert(0, os.path.join(os.environ["KAIZEN_PLUGIN_DIR"], "${dirname(file)}"))`;
      writeFiles(directory, {
        'plugin.json': JSON.stringify({ name: 'deep', description: 'Says a word', language: 'python', main: 'main.py' }),
        'main.py': `import json, os, sys\n${load}\nimport words\nprint(json.dumps({"word": words.WORD}))\n`,
        [file]: 'WORD = "old"\n',
      });
      const client = await connectClient('v1', stdioTarget(place));
      onTestFinished(() => client.close());
      await seeWatching(place, client.listTools);
      for (let call = 0; call < 2; call++) expect((await client.call('plugin_deep_run')).structuredContent).toEqual({ word: 'old' });
      const before = await countReloads(place);
      writeFiles(directory, { [file]: 'WORD = "new"\n' });
      const refused = await client.call('plugin_deep_run');
      expect(refused.isError).toBe(true);
      expect(textOf(refused)).toContain('its files changed since they were read; call again');
      await expect.poll(() => countReloads(place), { timeout: 10_000, interval: 20 }).toBe(before + 1);
      for (let call = 0; call < 2; call++) expect((await client.call('plugin_deep_run')).structuredContent).toEqual({ word: 'new' });
    },
  );
});
