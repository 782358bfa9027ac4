import { expect, onTestFinished, test } from 'vitest';
import { serveMcpHttp } from '../../src/server/http.ts';
import { connectClient, type CallResult, type ConnectOptions, type TestClient } from '../helpers/mcp-clients.ts';
import { makeFixture, makePlugin, makeTool } from '../helpers/mcp-fixture.ts';

async function open(options: ConnectOptions = {}): Promise<TestClient> {
  const { servers, log, catalog } = makeFixture({ progressive: true });
  catalog.replace([...catalog.current().tools, makeTool(makePlugin('asker', { keywords: ['permission'] }), 'approve')]);
  const endpoint = await serveMcpHttp(servers, {
    address: { host: '127.0.0.1', port: 0 },
    token: undefined,
    log,
    limits: { graceMs: 100 },
  });
  onTestFinished(() => endpoint.close());
  const client = await connectClient('pinned', { kind: 'http', url: endpoint.url }, options);
  onTestFinished(() => client.close());
  return client;
}

const textOf = (result: CallResult): string => result.content[0]?.text ?? '';

test('plugins with keywords are found by search and called by plugbridge_call, or by name', async () => {
  const client = await open();
  const names = (await client.listTools()).map(({ name }) => name);
  expect(names.filter((name) => !name.startsWith('plugin_fixture'))).toEqual([
    'plugbridge_call',
    'plugbridge_read_artifact',
    'plugbridge_search',
  ]);
  expect(client.instructions()).toContain('- weather*: Tells the weather');

  const found = await client.call('plugbridge_search', { query: 'rain tomorrow' });
  expect(found.structuredContent).toMatchObject({ tools: [{ name: 'plugin_weather_today', inputSchema: { type: 'object' } }] });
  expect(JSON.parse(textOf(found))).toEqual(found.structuredContent);
  expect(textOf(await client.call('plugbridge_call', { tool: 'plugin_weather_today', arguments: { text: 'x' } }))).toBe('ran');
  expect(textOf(await client.call('plugin_weather_today'))).toBe('ran');
  expect(textOf(await client.call('plugbridge_search', { query: 'zebra' }))).toBe(
    'No tool fits "zebra"; keywords that there are: forecast, permission, rain',
  );
});

test('plugbridge_call passes results, errors and questions on', async () => {
  const client = await open({ answer: () => ({ action: 'accept', content: { decision: 'once' } }) });
  const call = (tool: string, args?: Record<string, unknown>): Promise<CallResult> =>
    client.call('plugbridge_call', { tool, ...(args === undefined ? {} : { arguments: args }) });
  expect(await call('plugin_fixture_echo', { a: 1 })).toMatchObject({ structuredContent: { a: 1 } });
  expect(await call('plugin_fixture_fail')).toMatchObject({ isError: true });
  expect(textOf(await call('plugin_asker_approve', { x: 1 }))).toBe('answer: once');
  expect(await call('plugin_nobody')).toMatchObject({
    isError: true,
    content: [{ text: 'Unknown tool: plugin_nobody; plugbridge_search finds the names that there are' }],
  });
  // The tools of plugbridge itself are not reached through it, so it cannot call itself.
  expect(await call('plugbridge_call', { tool: 'plugbridge_call' })).toMatchObject({ isError: true });
});

test.for([
  {
    tool: 'plugbridge_search',
    args: {},
    text: 'Cannot call "plugbridge_search" with these arguments: /query: Invalid input: expected string, received undefined',
  },
  {
    tool: 'plugbridge_search',
    args: { query: 'x', more: 1 },
    text: 'Cannot call "plugbridge_search" with these arguments: Unrecognized key: "more"',
  },
  {
    tool: 'plugbridge_call',
    args: { tool: 'x', arguments: [] },
    text: 'Cannot call "plugbridge_call" with these arguments: /arguments: Invalid input: expected record, received array',
  },
  {
    tool: 'plugbridge_read_artifact',
    args: { uri: 'artifact://a/b', offset: -1 },
    text: 'Cannot call "plugbridge_read_artifact" with these arguments: /offset: Too small: expected number to be >=0',
  },
  {
    tool: 'plugbridge_read_artifact',
    args: { uri: 'artifact://a/b' },
    text: 'Cannot read "artifact://a/b": there is no such artifact, or it has expired',
  },
])('$tool refuses $args', async ({ tool, args, text }) => {
  const client = await open();
  expect(await client.call(tool, args)).toMatchObject({ isError: true, content: [{ type: 'text', text }] });
});
