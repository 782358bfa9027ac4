import { InMemoryTransport } from '@modelcontextprotocol/server';
import { Client } from '@modelcontextprotocol/client';
import { expect, onTestFinished, test } from 'vitest';
import { makeFixture, type Fixture } from '../helpers/mcp-fixture.ts';

async function open(): Promise<{ client: Client; fixture: Fixture }> {
  const fixture = makeFixture();
  const [near, far] = InMemoryTransport.createLinkedPair();
  await fixture.servers.create({ era: 'legacy' }).connect(far);
  const client = new Client({ name: 'linked', version: '0' });
  await client.connect(near);
  onTestFinished(() => client.close());
  return { client, fixture };
}

test('resources/list comes in pages that lose nothing and end', async () => {
  const { client, fixture } = await open();
  for (let index = 0; index < 450; index += 1) fixture.artifacts.put('x.txt', 'text/plain', Buffer.from('x'));
  const uris: string[] = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const page = await client.listResources({ cursor: cursor ?? '' });
    uris.push(...page.resources.map(({ uri }) => uri));
    pages += 1;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(pages).toBe(3);
  expect(new Set(uris).size).toBe(452);
});

test('resources/read refuses what is too large, and says how to read it', async () => {
  const { client, fixture } = await open();
  const large = fixture.artifacts.put('large.txt', 'text/plain', Buffer.alloc(1024 * 1024 + 1, 'x'));
  await expect(client.readResource({ uri: large.uri })).rejects.toMatchObject({
    code: -32_602,
    message: expect.stringContaining('in parts with the tool plugbridge_read_artifact'),
  });
  const binary = fixture.artifacts.put('b.bin', 'application/octet-stream', Buffer.from([0, 255]));
  expect(await client.readResource({ uri: binary.uri })).toMatchObject({
    contents: [{ blob: 'AP8=', mimeType: 'application/octet-stream' }],
  });
});

test('plugbridge_read_artifact shows images, and says what it cannot show', async () => {
  const { client, fixture } = await open();
  const image = fixture.artifacts.put('i.png', 'image/png', Buffer.from([1, 2]));
  const read = (uri: string): ReturnType<Client['callTool']> => client.callTool({ name: 'plugbridge_read_artifact', arguments: { uri } });
  expect(await read(image.uri)).toMatchObject({ content: [{ type: 'image', data: 'AQI=', mimeType: 'image/png' }] });
  const binary = fixture.artifacts.put('b.bin', 'application/octet-stream', Buffer.from([0, 255]));
  expect(await read(binary.uri)).toMatchObject({
    isError: true,
    content: [{ text: `Cannot show "${binary.uri}" as text: it has 2 bytes of application/octet-stream; read it as a resource instead` }],
  });
});

test('servers declare what they serve and nothing else', async () => {
  const { client } = await open();
  expect(client.getServerCapabilities()).toEqual({ tools: { listChanged: true }, resources: { listChanged: true }, logging: {} });
  await expect(client.request({ method: 'prompts/list' })).rejects.toThrow();
});
