import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { makePlace, startHttp, stdioTarget, type Place } from '../helpers/built-cli.ts';
import { CLIENT_MODES, connectClient, isModern, type ClientMode, type ConnectOptions, type TestClient } from '../helpers/mcp-clients.ts';
import { findBusy, findByCommand, listDescendants, stillAlive } from '../helpers/process-tree.ts';
import { addWorkbench } from './workbench.ts';

const CELLS = (['stdio', 'http'] as const).flatMap((transport) => CLIENT_MODES.map((mode) => ({ transport, mode })));
const textOf = (result: { content: readonly { text?: string }[] }): string => result.content.map(({ text }) => text ?? '').join('\n');

/** The built product with its sample plugins and the workbench, for the clients of one cell of the matrix. */
interface Cell {
  readonly place: Place;
  open(options?: ConnectOptions): Promise<TestClient>;
  /** The process that serves the newest client. */
  server(): number;
  stop(): Promise<void>;
}

async function startCell(transport: 'stdio' | 'http', mode: ClientMode): Promise<Cell> {
  const place = makePlace('vault', 'wikipedia');
  await addWorkbench(place.plugins);
  const http = transport === 'http' ? await startHttp(place) : undefined;
  return {
    place,
    async open(options = {}) {
      const client = await connectClient(mode, http?.target ?? stdioTarget(place), options);
      onTestFinished(() => client.close());
      return client;
    },
    server() {
      const servers = findByCommand(place.root).filter(({ command }) => command.includes('cli.js'));
      const [newest] = servers.toSorted((a, b) => b.startTicks - a.startTicks);
      if (!newest) throw new Error('no server runs');
      return newest.pid;
    },
    async stop() {
      await http?.stop();
      place.remove();
    },
  };
}

describe.for(CELLS)('the built server over $transport with the client $mode', { timeout: 60_000 }, ({ transport, mode }) => {
  let cell: Cell;
  beforeAll(async () => {
    cell = await startCell(transport, mode);
  });
  afterAll(() => cell.stop());

  test('lists the tools of all plugins, sorted, and names the plugins in its instructions', async () => {
    const client = await cell.open();
    const names = (await client.listTools()).map(({ name }) => name);
    expect(names).toEqual(names.toSorted());
    expect(names).toEqual(
      expect.arrayContaining(['plugbridge_read_artifact', 'plugin_vault_capture', 'plugin_wikipedia_search', 'plugin_workbench_say']),
    );
    expect(names).toHaveLength(1 + 9 + 3 + 9);
    expect(client.instructions()).toContain('- vault: Markdown knowledge vault');
    expect(client.instructions()).toContain('- wikipedia: ');
  });

  test('calls; structured content is only what is an object, and text says the same', async () => {
    const client = await cell.open();
    const said = await client.call('plugin_workbench_say', { text: 'hi' });
    expect(said.content).toEqual([{ type: 'text', text: 'hi' }]);
    expect(said.structuredContent).toBeUndefined();
    const object = await client.call('plugin_workbench_object');
    expect(object.structuredContent).toEqual({ text: 'häl\nlo', n: [1, { a: null }] });
    expect(JSON.parse(textOf(object))).toEqual(object.structuredContent);
    const list = await client.call('plugin_workbench_list');
    expect(textOf(list)).toBe('[1,"two"]');
    expect(list.structuredContent).toBeUndefined();
    const failed = await client.call('plugin_workbench_fail');
    expect(failed.isError).toBe(true);
    expect(failed.structuredContent).toBeUndefined();
    expect(textOf(failed)).toBe('EXECUTION_PLUGIN_FAILED: This tool intentionally returns an error for testing');
  });

  test('answers wrong arguments in words, unknown tools with a protocol error', async () => {
    const client = await cell.open();
    const wrong = await client.call('plugin_workbench_say', { text: 5 });
    expect(wrong.isError).toBe(true);
    expect(textOf(wrong)).toBe(
      'DISPATCH_ARGUMENTS_INVALID: Cannot call "plugin_workbench_say": "/text" must be string; correct the arguments and call again',
    );
    await expect(client.call('plugin_workbench_nothing')).rejects.toMatchObject({ code: -32_602 });
    await expect(client.call('plugin_vault_capture', { message: 'x', sneaky: 1 })).resolves.toMatchObject({ isError: true });
  });

  test('sends log lines of the guest as progress, and as log messages where asked', async () => {
    const client = await cell.open();
    if (!isModern(mode)) await client.setLogLevel('info');
    const seen: string[] = [];
    const meta = isModern(mode) ? { 'io.modelcontextprotocol/logLevel': 'info' } : undefined;
    const result = await client.call(
      'plugin_workbench_steps',
      {},
      { onProgress: ({ message }) => seen.push(message ?? ''), ...(meta === undefined ? {} : { meta }) },
    );
    expect(textOf(result)).toBe('done');
    expect(client.logs.map(({ data }) => data)).toEqual(['first', 'second', 'third']);
    // Both SDK lines may drop progress that they read together with the result; what arrives is in order.
    expect(['first', 'second', 'third'].filter((step) => seen.includes(step))).toEqual(seen);
  });

  test('cancels: the process that ran the guest is gone, and the next call is served', async () => {
    const client = await cell.open();
    await client.call('plugin_workbench_say', { text: 'warm' });
    const server = cell.server();
    const before = listDescendants(server);
    const controller = new AbortController();
    const spinning = new Promise<void>((resolve) => {
      client.call('plugin_workbench_spin', {}, { signal: controller.signal, onProgress: () => resolve() }).catch(() => {});
    });
    await spinning;
    const busy = await expect
      .poll(() => findBusy(server, before), { timeout: 10_000 })
      .toBeDefined()
      .then(() => findBusy(server, before));
    if (!busy) throw new Error('nothing runs');
    controller.abort();
    await expect.poll(() => stillAlive([busy]), { timeout: 10_000 }).toEqual([]);
    expect(textOf(await client.call('plugin_workbench_say', { text: 'still here' }))).toBe('still here');
  });

  test('refuses what nobody can be asked about, and names the command that grants it', async () => {
    const client = await cell.open();
    const refused = await client.call('plugin_vault_init');
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain('Grant it with: plugbridge grant vault file_write');
    expect(client.questions).toEqual([]);
    expect(readdirSync(cell.place.root)).toEqual([]);
  });

  test('asks a person: no, once, always', async () => {
    let decision = 'no';
    const client = await cell.open({ answer: () => ({ action: 'accept', content: { decision } }) });
    const write = (path: string) => client.call('plugin_workbench_write', { path, text: 'written by the guest' });
    const file = (name: string): string => join(cell.place.root, name);

    expect((await write('no.txt')).isError).toBe(true);
    expect(existsSync(file('no.txt'))).toBe(false);
    expect(client.questions).toHaveLength(1);
    expect(String(client.questions[0]?.['message'])).toContain('workbench');
    expect(String(client.questions[0]?.['message'])).toContain('write:fs:$ROOT');

    decision = 'once';
    expect(textOf(await write('once.txt'))).toBe('written');
    expect(readFileSync(file('once.txt'), 'utf8')).toBe('written by the guest');
    expect(client.questions).toHaveLength(2);

    decision = 'always';
    expect(textOf(await write('always.txt'))).toBe('written');
    expect(client.questions).toHaveLength(3);
    expect(textOf(await write('later.txt'))).toBe('written');
    expect(client.questions).toHaveLength(3);
    // A grant is for one plugin.
    decision = 'no';
    expect((await client.call('plugin_vault_init')).isError).toBe(true);
    expect(client.questions).toHaveLength(4);
  });

  test('keeps an answer that is too long, as a resource and for plugbridge_read_artifact', async () => {
    const client = await cell.open();
    const long = await client.call('plugin_workbench_say', { text: 'long ', times: 10_000 });
    const link = long.content.find(({ type }) => type === 'resource_link');
    expect(long.content[0]?.text).toContain('[cut after 40000 of 50000 characters; the whole text is kept as artifact://');
    expect(long._meta).toMatchObject({ 'plugbridge/truncated': true });
    const uri = link?.uri ?? '';
    expect((await client.listResources()).resources.map((resource) => resource.uri)).toContain(uri);
    const [whole] = await client.readResource(uri);
    expect(whole?.text).toBe('long '.repeat(10_000));
    const part = await client.call('plugbridge_read_artifact', { uri, offset: 49_990, limit: 100 });
    expect(part.content[0]?.text).toBe('long long ');
  });

  test('answers 50 calls at once, each with its own result', async () => {
    const client = await cell.open();
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => client.call('plugin_workbench_say', { text: `call ${i}` })));
    expect(results.map(textOf)).toEqual(Array.from({ length: 50 }, (_, i) => `call ${i}`));
  });

  test('tells of a plugin that was added', async () => {
    const client = await cell.open();
    expect((await client.listTools()).map(({ name }) => name)).not.toContain('plugin_newcomer_say');
    const changed = client.nextToolsChanged();
    // The server watches once it has answered its client.
    await client.call('plugin_workbench_say', { text: 'x' });
    const newcomer = join(cell.place.base, 'newcomer');
    cpSync(join(cell.place.plugins, 'workbench'), newcomer, { recursive: true });
    const manifest = readFileSync(join(newcomer, 'PLUGIN.toml'), 'utf8');
    writeFileSync(join(newcomer, 'PLUGIN.toml'), manifest.replace('name = "workbench"', 'name = "newcomer"'));
    cpSync(newcomer, join(cell.place.plugins, 'newcomer'), { recursive: true });
    await changed;
    expect((await client.listTools()).map(({ name }) => name)).toContain('plugin_newcomer_say');
    expect(textOf(await client.call('plugin_newcomer_say', { text: 'here' }))).toBe('here');
  });
});
