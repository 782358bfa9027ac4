import { request as httpRequest } from 'node:http';
import { connect as connectSocket, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { reasonOf } from '../../src/errors.ts';
import { serveMcpHttp, type HttpEndpoint, type HttpOptions } from '../../src/server/http.ts';
import { connectClient } from '../helpers/mcp-clients.ts';
import { makeFixture, type Fixture } from '../helpers/mcp-fixture.ts';

const TOKEN = 'correct-horse';

async function start(options: Partial<HttpOptions> = {}): Promise<{ endpoint: HttpEndpoint; fixture: Fixture }> {
  const fixture = makeFixture();
  const endpoint = await serveMcpHttp(fixture.servers, {
    address: { host: '127.0.0.1', port: 0 },
    token: TOKEN,
    log: fixture.log,
    ...options,
    limits: { graceMs: 200, ...options.limits },
  });
  onTestFinished(() => endpoint.close());
  return { endpoint, fixture };
}

interface RawResponse {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Bytes over a socket, for everything that no HTTP client would send. Resolves with what came back when the server closes. */
async function sendRaw(port: number, bytes: string | Buffer): Promise<RawResponse> {
  const socket = connectSocket(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.write(bytes);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const [head = '', ...rest] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  return { status: Number(head.split(' ')[1] ?? 0), headers: head.toLowerCase(), body: rest.join('\r\n\r\n') };
}

interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | undefined>;
  readonly body?: string;
}

const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '0' } },
});

function request(
  port: number,
  { method = 'POST', path = '/mcp', headers = {}, body = INITIALIZE }: RequestParts = {},
): Promise<RawResponse> {
  const all: Record<string, string | undefined> = {
    Host: `127.0.0.1:${port}`,
    Authorization: `Bearer ${TOKEN}`,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers,
  };
  const given = Object.fromEntries(Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  return new Promise((resolve, reject) => {
    // Without an agent, Node’s client sends paths and headers as they are, on a connection of their own.
    const req = httpRequest({ host: '127.0.0.1', port, method, path, headers: given, agent: false }, (res) => {
      const lines = Object.entries(res.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
      const answer = (responseBody: string): void => {
        resolve({ status: res.statusCode ?? 0, headers: lines.join('').toLowerCase(), body: responseBody });
        req.destroy();
      };
      text(res).then(answer, (error: unknown) => answer(reasonOf(error)));
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** The server still answers a proper request. */
async function expectAlive(port: number): Promise<void> {
  const { status, body } = await request(port);
  expect(status).toBe(200);
  expect(body).toContain('"serverInfo":{"name":"plugbridge"');
}

describe('serveMcpHttp() guards', () => {
  test.for([
    { what: 'a right request', parts: {}, status: 200, contains: '"protocolVersion":"2025-11-25"' },
    { what: 'localhost by name', parts: { headers: { Host: 'localhost:1' } }, status: 200, contains: 'serverInfo' },
    { what: 'our own Origin', parts: { headers: { Origin: 'http://localhost:6274' } }, status: 200, contains: 'serverInfo' },
    { what: 'a foreign Host', parts: { headers: { Host: 'evil.example' } }, status: 403, contains: '"code":-32000' },
    { what: 'a Host that only begins like ours', parts: { headers: { Host: '127.0.0.1.evil.example' } }, status: 403, contains: '-32000' },
    { what: 'a foreign Origin', parts: { headers: { Origin: 'https://evil.example' } }, status: 403, contains: '-32000' },
    { what: 'the Origin null', parts: { headers: { Origin: 'null' } }, status: 403, contains: '-32000' },
    { what: 'no token', parts: { headers: { Authorization: undefined } }, status: 401, contains: 'Bearer TOKEN' },
    { what: 'a wrong token', parts: { headers: { Authorization: 'Bearer wrong' } }, status: 401, contains: 'Unauthorized' },
    { what: 'a longer token', parts: { headers: { Authorization: `Bearer ${TOKEN}x` } }, status: 401, contains: 'Unauthorized' },
    { what: 'another scheme', parts: { headers: { Authorization: `Basic ${TOKEN}` } }, status: 401, contains: 'Unauthorized' },
    { what: 'another path', parts: { path: '/' }, status: 404, contains: 'the endpoint is /mcp' },
    { what: 'a path that begins like ours', parts: { path: '/mcp/../x' }, status: 404, contains: 'the endpoint is /mcp' },
    { what: 'another method', parts: { method: 'PUT' }, status: 405, contains: 'Method not allowed' },
    { what: 'another media type', parts: { headers: { 'Content-Type': 'text/plain' } }, status: 415, contains: 'Unsupported Media Type' },
    { what: 'an Accept that lacks streams', parts: { headers: { Accept: 'application/json' } }, status: 406, contains: 'Not Acceptable' },
    { what: 'no JSON', parts: { body: '{"jsonrpc":' }, status: 400, contains: '"code":-32700' },
    { what: 'an empty body', parts: { body: '' }, status: 400, contains: '"code":-32700' },
    { what: 'JSON that is no message', parts: { body: '{"hello":1}' }, status: 400, contains: '"error"' },
    { what: 'null', parts: { body: 'null' }, status: 400, contains: '"error"' },
    { what: 'a number', parts: { body: '42' }, status: 400, contains: '"error"' },
    { what: 'an empty batch', parts: { body: '[]' }, status: 400, contains: '"error"' },
    { what: 'a request before any session', parts: { body: PING }, status: 400, contains: 'initialize' },
    {
      what: 'an unknown session',
      parts: { body: PING, headers: { 'Mcp-Session-Id': 'nobody' } },
      status: 404,
      contains: 'Session not found',
    },
    { what: 'a declared size over 4 MiB', parts: { headers: { 'Content-Length': '4194305' } }, status: 413, contains: 'Payload too large' },
  ])('answer $what with $status', async ({ parts, status, contains }) => {
    const { endpoint } = await start();
    const response = await request(endpoint.port, parts);
    expect(response).toMatchObject({ status });
    expect(response.body).toContain(contains);
    await expectAlive(endpoint.port);
  });

  test('challenge who has no token, and say when one is wrong', async () => {
    const { endpoint } = await start();
    const none = await request(endpoint.port, { headers: { Authorization: undefined } });
    expect(none.headers).toContain('www-authenticate: bearer realm="plugbridge"\r\n');
    const wrong = await request(endpoint.port, { headers: { Authorization: 'Bearer wrong' } });
    expect(wrong.headers).toContain('www-authenticate: bearer realm="plugbridge", error="invalid_token"');
  });

  test('refuse a chunked body over 4 MiB as soon as it is too large', async () => {
    const { endpoint } = await start();
    const head = `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = `100000\r\n${'x'.repeat(0x10_0000)}\r\n`;
    const response = await sendRaw(endpoint.port, head + chunk.repeat(5));
    expect(response).toMatchObject({ status: 413 });
    await expectAlive(endpoint.port);
  });

  test('healthz needs no token, tells nothing, and keeps to our Host', async () => {
    const { endpoint } = await start();
    const health = { method: 'GET', path: '/healthz', body: '' };
    const ok = await request(endpoint.port, { ...health, headers: { Authorization: undefined } });
    expect(ok).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    expect(await request(endpoint.port, { ...health, headers: { Host: 'evil.example' } })).toMatchObject({ status: 403 });
  });

  test('survive what is not HTTP at all', async () => {
    const { endpoint } = await start();
    for (const bytes of [
      '\x16\x03\x01\x02\x00',
      'GET',
      'POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n',
      'hello\r\n\r\n',
      `GET /mcp HTTP/1.1\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`,
    ]) {
      const socket = connectSocket(endpoint.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.end(bytes);
      socket.resume();
      await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    }
    await expectAlive(endpoint.port);
  });

  test('cut off clients that send too slowly', async () => {
    const { endpoint } = await start({ limits: { headersTimeoutMs: 300, requestTimeoutMs: 300, checkIntervalMs: 50 } });
    const response = await sendRaw(endpoint.port, 'POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n');
    expect(response.status).toBe(408);
    await expectAlive(endpoint.port);
  });

  test('without a token serve on loopback only', async () => {
    const { endpoint } = await start({ token: undefined });
    expect(await request(endpoint.port, { headers: { Authorization: undefined } })).toMatchObject({ status: 200 });
    await expect(start({ token: undefined, address: { host: '0.0.0.0', port: 0 } })).rejects.toMatchObject({
      code: 'SERVER_NO_AUTH_REFUSED',
      message: 'Cannot serve "0.0.0.0" without authentication: only loopback addresses may go without a token',
    });
  });

  test('say when the address is taken', async () => {
    const { endpoint } = await start();
    const address = { host: '127.0.0.1', port: endpoint.port };
    await expect(start({ address })).rejects.toMatchObject({ code: 'SERVER_LISTEN_FAILED' });
  });
});

describe('serveMcpHttp() sessions', () => {
  const sessionOf = ({ headers }: RawResponse): string => /mcp-session-id: (\S+)/.exec(headers)?.[1] ?? '';
  const ping = (port: number, id: string): Promise<RawResponse> => request(port, { body: PING, headers: { 'Mcp-Session-Id': id } });

  test('end when they are idle', async () => {
    const { endpoint } = await start({ limits: { sessionIdleMs: 100 } });
    const id = sessionOf(await request(endpoint.port));
    expect(await ping(endpoint.port, id)).toMatchObject({ status: 200 });
    await sleep(400);
    expect(await ping(endpoint.port, id)).toMatchObject({ status: 404 });
  });

  test('end on DELETE', async () => {
    const { endpoint } = await start();
    const id = sessionOf(await request(endpoint.port));
    expect(await request(endpoint.port, { method: 'DELETE', body: '', headers: { 'Mcp-Session-Id': id } })).toMatchObject({ status: 200 });
    expect(await ping(endpoint.port, id)).toMatchObject({ status: 404 });
  });

  test('are capped: the longest idle one makes room, those in use do not', async () => {
    const { endpoint } = await start({ limits: { maxSessions: 2 } });
    const first = sessionOf(await request(endpoint.port));
    const second = sessionOf(await request(endpoint.port));
    const third = sessionOf(await request(endpoint.port));
    expect(await ping(endpoint.port, first)).toMatchObject({ status: 404 });
    const streams: Socket[] = [];
    for (const id of [second, third]) {
      const socket = connectSocket(endpoint.port, '127.0.0.1');
      streams.push(socket);
      socket.write(
        `GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKEN}\r\nAccept: text/event-stream\r\nMcp-Session-Id: ${id}\r\n\r\n`,
      );
      await new Promise((resolve) => socket.once('data', resolve));
    }
    const refused = await request(endpoint.port);
    expect(refused).toMatchObject({ status: 503 });
    expect(refused.headers).toContain('retry-after');
    for (const socket of streams) socket.destroy();
    await expect.poll(async () => (await request(endpoint.port)).status).toBe(200);
  });

  test('a refused handshake leaves none behind', async () => {
    const { endpoint } = await start({ limits: { maxSessions: 1 } });
    for (let count = 0; count < 3; count += 1) {
      expect(await request(endpoint.port, { headers: { Accept: 'text/html' } })).toMatchObject({ status: 406 });
    }
    await expectAlive(endpoint.port);
  });

  test('become idle again after a cancelled call', async () => {
    const { endpoint } = await start({ limits: { maxSessions: 1 } });
    const client = await connectClient('v1', { kind: 'http', url: endpoint.url, token: TOKEN });
    const controller = new AbortController();
    const slow = client.call('plugin_fixture_slow', {}, { signal: controller.signal });
    slow.catch(() => {});
    await client.call('plugin_fixture_echo');
    controller.abort();
    await expect(slow).rejects.toThrow();
    await client.close();
    await expect.poll(async () => (await request(endpoint.port)).status, { timeout: 5000 }).toBe(200);
  });
});

describe('close()', () => {
  test.for(['v1', 'pinned'] as const)('lets a call in flight finish (%s)', async (mode) => {
    const { endpoint } = await start({ limits: { graceMs: 5000 } });
    const client = await connectClient(mode, { kind: 'http', url: endpoint.url, token: TOKEN });
    const call = client.call('plugin_fixture_noisy');
    await sleep(30);
    await endpoint.close();
    expect((await call).content[0]?.text).toBe('noise made');
    await expect(fetch(endpoint.url)).rejects.toThrow();
    await client.close();
  });

  test('ends calls that outlast the grace, and subscriptions at once', async () => {
    const { endpoint, fixture } = await start({ limits: { graceMs: 100 } });
    const client = await connectClient('pinned', { kind: 'http', url: endpoint.url, token: TOKEN });
    client.call('plugin_fixture_slow').catch(() => {});
    await client.call('plugin_fixture_echo');
    const begun = performance.now();
    await endpoint.close();
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(fixture.abortedCalls()).toBe(1);
    await client.close();
  });
});
