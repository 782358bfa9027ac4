import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { serveMcpHttp } from '../../src/server/http.ts';
import {
  bundleServer,
  CLIENT_MODES,
  connectClient,
  isModern,
  type CallResult,
  type ClientMode,
  type ClientTarget,
  type ConnectOptions,
  type TestClient,
} from '../helpers/mcp-clients.ts';
import { FIXTURE_COMMANDS, makeFixture } from '../helpers/mcp-fixture.ts';

const TOKEN = 'a-token-for-tests';
const TRANSPORTS = ['stdio', 'http'] as const;
const CELLS = TRANSPORTS.flatMap((transport) => CLIENT_MODES.map((mode) => ({ transport, mode })));

let bundle: Awaited<ReturnType<typeof bundleServer>>;
beforeAll(async () => {
  bundle = await bundleServer('test/helpers/mcp-stdio-server.ts');
});
afterAll(() => bundle.remove());

const textOf = (result: CallResult): string => result.content.map((part) => part.text ?? part.uri ?? '').join('\n');
const tool = (command: string): string => `plugin_fixture_${command}`;

async function startServer(transport: (typeof TRANSPORTS)[number]): Promise<ClientTarget> {
  if (transport === 'stdio') return { kind: 'stdio', command: process.execPath, args: [bundle.file] };
  const { servers, log } = makeFixture();
  const endpoint = await serveMcpHttp(servers, { address: { host: '127.0.0.1', port: 0 }, token: TOKEN, log, limits: { graceMs: 100 } });
  onTestFinished(() => endpoint.close());
  return { kind: 'http', url: endpoint.url, token: TOKEN };
}

async function connect(mode: ClientMode, target: ClientTarget, options: ConnectOptions = {}): Promise<TestClient> {
  const client = await connectClient(mode, target, options);
  onTestFinished(() => client.close());
  return client;
}

describe.for(CELLS)('MCP over $transport with a $mode client', ({ transport, mode }) => {
  const open = async (options: ConnectOptions = {}): Promise<TestClient> => connect(mode, await startServer(transport), options);

  test('lists tools sorted, with annotations and _meta, beside its own', async () => {
    const client = await open();
    const tools = await client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names).toEqual([...FIXTURE_COMMANDS.map(tool), 'plugin_weather_today', 'plugbridge_read_artifact'].toSorted());
    const weather = tools.find(({ name }) => name === 'plugin_weather_today');
    expect(weather).toMatchObject({ annotations: { readOnlyHint: true }, _meta: { keywords: ['forecast', 'rain'] } });
    expect(client.instructions()).toContain('- weather: Tells the weather');
  });

  test('calls: ok with text and structure alike, and each way of failing', async () => {
    const client = await open();
    const ok = await client.call(tool('echo'), { text: 'häl\nlo', n: [1, { a: null }] });
    expect(ok.structuredContent).toEqual({ text: 'häl\nlo', n: [1, { a: null }] });
    expect(JSON.parse(textOf(ok))).toEqual(ok.structuredContent);
    expect(ok.isError ?? false).toBe(false);
    expect(ok._meta).toMatchObject({ 'plugbridge/outcome': 'ok', 'plugbridge/tier': 'process' });

    const failed = await client.call(tool('fail'));
    expect(failed).toMatchObject({ isError: true, content: [{ type: 'text', text: 'EXECUTION_PLUGIN_FAILED: it broke' }] });
    expect(failed.structuredContent).toBeUndefined();
    const refused = await client.call(tool('refuse'));
    expect(refused).toMatchObject({ isError: true, content: [{ type: 'text', text: 'DISPATCH_NOT_PERMITTED: not allowed' }] });
    const timedOut = await client.call(tool('time-out'));
    expect(timedOut.isError).toBe(true);
    expect(timedOut.content.map(({ text }) => text)).toEqual(['EXECUTION_INTERNAL: over 30000 ms', 'half']);
    const callerFault = await client.call(tool('caller-fault'));
    expect(callerFault).toMatchObject({
      isError: true,
      content: [{ text: 'CATALOG_UNKNOWN_PLUGIN: Cannot find the plugin "x": known are y' }],
    });
  });

  test('answers unknown tools with -32602 and faults of the host with -32603 without their detail', async () => {
    const client = await open();
    await expect(client.call('plugin_nobody_knows')).rejects.toMatchObject({
      code: -32_602,
      message: expect.stringContaining('Unknown tool: plugin_nobody_knows'),
    });
    const fault = await client.call(tool('host-fault')).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: -32_603 });
    expect(String(fault)).not.toContain('secret detail');
  });

  test('names the caller', async () => {
    const client = await open();
    const who: unknown = JSON.parse(textOf(await client.call(tool('who'))));
    expect(who).toEqual({ client: 'matrix', clientVersion: '1.2.3', transport, principal: 'tester', canAsk: false });
    const asking = await open({ answer: () => ({ action: 'decline' }) });
    expect(JSON.parse(textOf(await asking.call(tool('who'))))).toMatchObject({ canAsk: true });
  });

  test('cancels: the signal of the call is aborted', async () => {
    const client = await open();
    const controller = new AbortController();
    const slow = client.call(tool('slow'), {}, { signal: controller.signal });
    slow.catch(() => {});
    await client.call(tool('echo'));
    controller.abort();
    await expect(slow).rejects.toThrow();
    await expect.poll(async () => textOf(await client.call(tool('aborted'))), { timeout: 5000 }).toBe('1');
  });

  test('sends progress that only grows, for log lines too, and nothing without a token', async () => {
    const client = await open();
    const seen: { progress: number; total?: number | undefined; message?: string | undefined }[] = [];
    await client.call(tool('noisy'), {}, { onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual([
      { progress: 1, message: 'one' },
      { progress: 2, message: 'two' },
      { progress: 7, total: 12, message: 'half' },
      { progress: 7.000001, total: 12, message: 'three' },
      { progress: 12, total: 12 },
    ]);
    await client.call(tool('noisy'));
    expect(seen).toHaveLength(5);
  });

  test('sends log lines as the era has it', async () => {
    const client = await open();
    if (isModern(mode)) {
      await client.call(tool('noisy'));
      expect(client.logs).toEqual([]);
      await client.call(tool('noisy'), {}, { meta: { 'io.modelcontextprotocol/logLevel': 'info' } });
    } else {
      await client.setLogLevel('info');
      await client.call(tool('noisy'));
    }
    expect(client.logs).toEqual([
      { level: 'info', data: 'one', logger: 'fixture' },
      { level: 'error', data: 'three', logger: 'fixture' },
    ]);
  });

  test.for([
    { person: { action: 'accept', content: { decision: 'once' } }, answer: 'once' },
    { person: { action: 'accept', content: { decision: 'always' } }, answer: 'always' },
    { person: { action: 'accept', content: { decision: 'no' } }, answer: 'no' },
    { person: { action: 'decline' }, answer: 'no' },
    { person: { action: 'cancel' }, answer: 'no' },
  ] as const)('asks a person: $person.action is "$answer"', async ({ person, answer }) => {
    const client = await open({ answer: () => person });
    expect(textOf(await client.call(tool('approve'), { x: 1 }))).toBe(`answer: ${answer}`);
    expect(client.questions).toHaveLength(1);
    const [question] = client.questions;
    expect(question?.['message']).toBe('May it?\n\nPlugin: fixture\nCommand: approve\nCapabilities:\n- write:fs:$ROOT');
    expect(JSON.stringify(question?.['requestedSchema'])).toContain('Yes, for this plugin from now on');
  });

  test('does not ask a client that cannot', async () => {
    const client = await open();
    expect(await client.call(tool('approve'))).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'DISPATCH_NOT_PERMITTED: nobody can be asked' }],
    });
  });

  test('tells of a changed tool list, and lists it', async () => {
    const client = await open();
    let heard = false;
    const changed = client.nextToolsChanged().then(() => (heard = true));
    await expect
      .poll(
        async () => {
          // A subscription of the modern era may not be open yet when the first change happens.
          await client.call(tool('reload'));
          return heard;
        },
        { interval: 200, timeout: 10_000 },
      )
      .toBe(true);
    await changed;
    const listed = (await client.listTools()).map(({ name }) => name);
    if (!listed.includes('plugin_extra_run')) await client.call(tool('reload'));
    expect((await client.listTools()).map(({ name }) => name)).toContain('plugin_extra_run');
  });

  test('serves artifacts and plugins as resources', async () => {
    const client = await open();
    const changed = client.nextResourcesChanged();
    const stored = await client.call(tool('store'));
    const uri = stored.content.find(({ type }) => type === 'resource_link')?.uri ?? '';
    expect(uri).toBe('artifact://call1/out.txt');
    await changed;
    const { resources } = await client.listResources();
    expect(resources.map((resource) => resource.uri)).toEqual([uri, 'plugin://fixture', 'plugin://weather']);
    expect(await client.readResource(uri)).toEqual([{ uri, mimeType: 'text/plain', text: 'stored text' }]);
    const [info] = await client.readResource('plugin://weather');
    expect(JSON.parse(info?.text ?? '')).toMatchObject({ name: 'weather', status: 'ok', keywords: ['forecast', 'rain'] });
    expect(info?.text).not.toContain('/nowhere');
    expect((await client.listResourceTemplates()).map(({ uriTemplate }) => uriTemplate)).toEqual([
      'artifact://{call}/{name}',
      'plugin://{name}',
    ]);
    for (const missing of ['artifact://call9/out.txt', 'artifact://../../etc/passwd', 'plugin://nobody', 'file:///etc/passwd', '']) {
      await expect(client.readResource(missing)).rejects.toMatchObject({ code: -32_602 });
    }
    const part = await client.call('plugbridge_read_artifact', { uri, offset: 7, limit: 2 });
    expect(part.content.map(({ text }) => text)).toEqual(['te', 'Bytes 7 to 9 of 11: continue with offset 9']);
  });

  test('answers 50 calls at once, each with its own result', async () => {
    const client = await open();
    const results = await Promise.all(Array.from({ length: 50 }, (_, index) => client.call(tool('echo'), { index })));
    expect(results.map((result) => result.structuredContent)).toEqual(Array.from({ length: 50 }, (_, index) => ({ index })));
  });
});
