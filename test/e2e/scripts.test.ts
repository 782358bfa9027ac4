import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { makePlace, runCli, startHttp, stdioTarget, usePlace, type Place } from '../helpers/built-cli.ts';
import { useHttpServer } from '../helpers/http-server.ts';
import { hasProgram } from '../helpers/interpreters.ts';
import { CLIENT_MODES, connectClient, isModern, type ClientMode, type ConnectOptions, type TestClient } from '../helpers/mcp-clients.ts';
import { findBusy, findByCommand, listDescendants, stillAlive } from '../helpers/process-tree.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { addOddJobs } from './odd-jobs.ts';
import { SAMPLE_CALLS, SAMPLE_NAMES, textOf } from './sample-calls.ts';

const CELLS = (['stdio', 'http'] as const).flatMap((transport) => CLIENT_MODES.map((mode) => ({ transport, mode })));
const hasAll = HAS_BUBBLEWRAP && hasProgram('python') && hasProgram('bash') && hasProgram('ruby');
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The built product with the samples of all languages and the odd jobs, for the clients of one cell of the matrix. */
interface Cell {
  readonly place: Place;
  open(options?: ConnectOptions): Promise<TestClient>;
  /** The process that serves the newest client. */
  server(): number;
  stop(): Promise<void>;
}

async function startCell(transport: 'stdio' | 'http', mode: ClientMode): Promise<Cell> {
  const place = makePlace(...SAMPLE_NAMES);
  addOddJobs(place.plugins);
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

describe.skipIf(!hasAll).for(CELLS)('scripts of the built server over $transport with the client $mode', { timeout: 60_000 }, (of) => {
  const { transport, mode } = of;
  let cell: Cell;
  beforeAll(async () => {
    cell = await startCell(transport, mode);
  });
  afterAll(() => cell.stop());

  test('are listed with their schemas and with what they do to the world', async () => {
    const client = await cell.open();
    const tools = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'plugbridge_read_artifact',
      'plugin_csv-chart_describe',
      'plugin_csv-chart_draw',
      'plugin_csv-chart_draw_file',
      'plugin_html-to-text_convert',
      'plugin_html-to-text_convert_file',
      'plugin_image-resize_inspect_file',
      'plugin_image-resize_resize',
      'plugin_image-resize_resize_file',
      'plugin_json-transform_run',
      'plugin_log-scan_scan',
      'plugin_log-scan_scan_file',
      'plugin_odd-jobs_fail',
      'plugin_odd-jobs_fetch',
      'plugin_odd-jobs_spin',
      'plugin_odd-jobs_tell',
      'plugin_odd-jobs_write',
    ]);
    expect(tools.find(({ name }) => name === 'plugin_csv-chart_draw')).toMatchObject({
      title: 'Draw a chart',
      inputSchema: {
        type: 'object',
        required: ['csv'],
        additionalProperties: false,
        properties: { csv: { type: 'string' }, kind: { enum: ['bar', 'stacked', 'line'], default: 'bar' }, width: { type: 'integer' } },
      },
      annotations: { readOnlyHint: true },
    });
    expect(tools.find(({ name }) => name === 'plugin_json-transform_run')).toMatchObject({
      inputSchema: { required: ['data', 'steps'], properties: { steps: { type: 'array' } } },
    });
  });

  test('answer with text, an image and a link, whose bytes are the same as a resource and through the tool', async () => {
    const client = await cell.open();
    const drawn = await client.call('plugin_csv-chart_draw', SAMPLE_CALLS['csv-chart'].args);
    expect(drawn.isError ?? false).toBe(false);
    expect(drawn.content.map(({ type }) => type)).toEqual(['text', 'image', 'resource_link']);
    expect(drawn.structuredContent).toMatchObject({ kind: 'bar', rows: 2 });
    const [, image, link] = drawn.content;
    expect(image).toMatchObject({ mimeType: 'image/png' });
    const bytes = Buffer.from(image?.data ?? '', 'base64');
    expect(bytes.subarray(0, 8)).toEqual(PNG);
    expect(link).toMatchObject({
      name: 'chart.png',
      mimeType: 'image/png',
      size: bytes.length,
      description: 'bar chart of Revenue, Costs',
    });

    const uri = link?.uri ?? '';
    expect((await client.listResources()).resources.map((resource) => resource.uri)).toContain(uri);
    const [resource] = await client.readResource(uri);
    expect(resource).toMatchObject({ mimeType: 'image/png', blob: image?.data });
    const whole = await client.call('plugbridge_read_artifact', { uri });
    expect(whole.content).toEqual([{ type: 'image', mimeType: 'image/png', data: image?.data }]);
  });

  test('do their work in all languages, at the same time', async () => {
    const client = await cell.open();
    const work = SAMPLE_NAMES.map(async (name) => {
      const { tool, args, answer } = SAMPLE_CALLS[name];
      const called = await client.call(tool, args);
      expect(called.structuredContent, name).toMatchObject(answer);
      expect(JSON.parse(called.content[0]?.text ?? ''), name).toEqual(called.structuredContent);
    });
    await Promise.all(work);
  });

  test('fail in words: exit code, the end of stderr, arguments that are not theirs', async () => {
    const client = await cell.open();
    const failed = await client.call('plugin_odd-jobs_fail');
    expect(failed.isError).toBe(true);
    expect(textOf(failed)).toBe('EXECUTION_PLUGIN_FAILED: the script ended with exit code 3\n\nThe end of its stderr:\nno such row');
    const unknown = await client.call('plugin_csv-chart_draw', { csv: 'a,b\n1,2\n', y: ['c'] });
    expect(unknown.isError).toBe(true);
    expect(textOf(unknown)).toMatch(/^EXECUTION_PLUGIN_FAILED: .*"c"/);
    const wrong = await client.call('plugin_json-transform_run', { data: 5, steps: [] });
    expect(textOf(wrong)).toBe(
      'DISPATCH_ARGUMENTS_INVALID: Cannot call "plugin_json-transform_run": "/data" must be string; correct the arguments and call again',
    );
  });

  test('report no progress of their own; what they say on stderr arrives as log and as progress', async () => {
    const client = await cell.open();
    if (!isModern(mode)) await client.setLogLevel('info');
    const seen: string[] = [];
    const meta = isModern(mode) ? { 'io.modelcontextprotocol/logLevel': 'info' } : undefined;
    const onProgress = ({ message }: { message?: string | undefined }): unknown => seen.push(message ?? '');
    await client.call('plugin_csv-chart_describe', { csv: 'a\n1\n' }, { onProgress });
    expect(seen).toEqual([]);
    const told = await client.call('plugin_odd-jobs_tell', {}, { onProgress, ...(meta === undefined ? {} : { meta }) });
    expect(told.structuredContent).toEqual({ told: 3 });
    expect(client.logs.map(({ data }) => data)).toEqual(['first', 'second', 'third']);
    // Both SDK lines may drop progress that they read together with the result; what arrives is in order.
    expect(['first', 'second', 'third'].filter((word) => seen.includes(word))).toEqual(seen);
  });

  test('are killed with all that they started when the client cancels, and the next call is served', async () => {
    const client = await cell.open();
    await client.call('plugin_odd-jobs_tell');
    const server = cell.server();
    const before = listDescendants(server);
    const controller = new AbortController();
    await new Promise<void>((resolve) => {
      client.call('plugin_odd-jobs_spin', {}, { signal: controller.signal, onProgress: () => resolve() }).catch(() => {});
    });
    const busy = await expect
      .poll(() => findBusy(server, before), { timeout: 10_000 })
      .toBeDefined()
      .then(() => findBusy(server, before));
    if (!busy) throw new Error('nothing runs');
    // What was just started has no name yet for a moment.
    const findDaemons = () => listDescendants(server).filter(({ command }) => command.includes('sleep 86399'));
    await expect.poll(findDaemons).toHaveLength(1);
    const daemons = findDaemons();
    controller.abort();
    await expect.poll(() => stillAlive([busy, ...daemons]), { timeout: 10_000 }).toEqual([]);
    expect((await client.call('plugin_odd-jobs_tell')).structuredContent).toEqual({ told: 3 });
  });

  test('that would write are refused where nobody can be asked, with the command that grants it', async () => {
    const client = await cell.open();
    const path = join(cell.place.root, 'unasked.txt');
    const refused = await client.call('plugin_odd-jobs_write', { path, text: 'x' });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain('Grant it with: plugbridge grant odd-jobs file_write');
    expect(existsSync(path)).toBe(false);
  });

  test('that would write ask a person: no, once, always', async () => {
    let decision = 'no';
    const client = await cell.open({ answer: () => ({ action: 'accept', content: { decision } }) });
    const file = (name: string): string => join(cell.place.root, name);
    const write = (name: string) => client.call('plugin_odd-jobs_write', { path: file(name), text: 'written by the script' });

    expect((await write('no.txt')).isError).toBe(true);
    expect(existsSync(file('no.txt'))).toBe(false);
    expect(client.questions).toHaveLength(1);
    const question = String(client.questions[0]?.['message']);
    expect(question).toContain('odd-jobs');
    expect(question).toContain('- write:fs:$ROOT');
    expect(question).not.toContain('net:');

    decision = 'once';
    expect((await write('once.txt')).structuredContent).toEqual({ written: file('once.txt') });
    expect(readFileSync(file('once.txt'), 'utf8')).toBe('written by the script');
    expect(client.questions).toHaveLength(2);

    decision = 'always';
    expect((await write('always.txt')).isError ?? false).toBe(false);
    expect(client.questions).toHaveLength(3);
    decision = 'no';
    expect((await write('later.txt')).structuredContent).toEqual({ written: file('later.txt') });
    expect(client.questions).toHaveLength(3);
    expect(readdirSync(cell.place.root).sort()).toEqual(['always.txt', 'later.txt', 'once.txt']);
  });
});

describe.skipIf(!hasAll)('hosts that scripts of the built server reach', { timeout: 60_000 }, () => {
  test('are those that a grant names, from the next call on, and no others', async () => {
    const place = usePlace();
    const { port } = await useHttpServer((_, response) => response.end('from the granted host'));
    const { port: other } = await useHttpServer((_, response) => response.end('never'));
    addOddJobs(place.plugins, port);
    const client = await connectClient('pinned', stdioTarget(place));
    onTestFinished(() => client.close());
    const fetch = (to: number) => client.call('plugin_odd-jobs_fetch', { url: `http://127.0.0.1:${to}/` });

    const refused = await fetch(port);
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain(`Grant it with: plugbridge grant odd-jobs net:127.0.0.1:${port}`);

    expect((await runCli(place, ['grant', 'odd-jobs', `net:127.0.0.1:${port}`, ...place.options])).exit).toBe(0);
    for (let call = 0; call < 3; call++) expect((await fetch(port)).structuredContent).toEqual({ body: 'from the granted host' });
    const elsewhere = await fetch(other);
    expect(elsewhere.structuredContent).toMatchObject({ status: 403 });
    expect(textOf(elsewhere)).toContain(`Refused during this call:\n- net:127.0.0.1:${other} (by request)`);

    const asked = await runCli(place, ['audit', 'query', '--json', '--plugin', 'odd-jobs']);
    expect(asked.stdout).toContain(`"net:127.0.0.1:${port}"`);
  });

  test('are there too where a rule takes some of them away', async () => {
    const place = usePlace();
    const { port } = await useHttpServer((_, response) => response.end('from the granted host'));
    addOddJobs(place.plugins, port);
    const manifest = join(place.plugins, 'odd-jobs', 'PLUGIN.toml');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replaceAll(`net:127.0.0.1:${port}`, 'net:*'));
    const policy = join(place.base, 'policy.toml');
    writeFileSync(policy, 'script_execution = "allow"\nnetwork = "allow"\n\n[[rule]]\nhost = "evil.test"\neffect = "deny"\n');
    expect((await runCli(place, ['grant', 'odd-jobs', `net:127.0.0.1:${port}`, ...place.options])).exit).toBe(0);
    const fetch = async (url: string) => {
      const ran = await runCli(place, ['odd-jobs', 'fetch', url, ...place.options, '--policy', policy]);
      return ran.stdout;
    };
    expect(JSON.parse(await fetch(`http://127.0.0.1:${port}/`))).toEqual({ body: 'from the granted host' });
    expect(await fetch('http://evil.test/')).toContain('403');
  });
});
