import { connect } from 'node:net';
import { request } from 'node:http';
import { statSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makePlace, startHttp, type HttpServer, type Place } from '../helpers/built-cli.ts';
import { connectClient } from '../helpers/mcp-clients.ts';

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};

describe('the built server over HTTP', { timeout: 60_000 }, () => {
  let place: Place;
  let server: HttpServer;
  beforeAll(async () => {
    place = makePlace('vault');
    server = await startHttp(place);
  });
  afterAll(async () => {
    await server.stop();
    place.remove();
  });

  /** Like fetch, which would not let a header such as Host be chosen. */
  async function post(
    body: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
    return new Promise((resolve, reject) => {
      const sent = request(
        server.url,
        {
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            Accept: 'application/json, text/event-stream',
            Authorization: `Bearer ${server.token ?? ''}`,
            ...headers,
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** The server still serves who may call. */
  async function expectAlive(): Promise<void> {
    const client = await connectClient('v1', server.target);
    expect((await client.listTools()).map(({ name }) => name)).toContain('plugin_vault_status');
    await client.close();
  }

  test('serves who has the token, which only its owner can read', async () => {
    expect((await post(JSON.stringify(INITIALIZE))).status).toBe(200);
    expect(statSync(join(place.own, 'state/token')).mode & 0o777).toBe(0o600);
    await expectAlive();
  });

  test.for<[what: string, headers: Record<string, string>, status: number]>([
    ['an empty token', { Authorization: '' }, 401],
    ['a wrong token', { Authorization: `Bearer ${'x'.repeat(43)}` }, 401],
    ['a token by another scheme', { Authorization: 'Basic eDp5' }, 401],
    ['a foreign Origin', { Origin: 'https://evil.example' }, 403],
    ['an opaque Origin', { Origin: 'null' }, 403],
    ['an Origin that only begins like ours', { Origin: 'http://localhost.evil.example' }, 403],
    ['a foreign Host, as after DNS rebinding', { Host: 'evil.example' }, 403],
    ['an own Origin', { Origin: 'http://localhost:3000' }, 200],
  ])('answers %s with the right status', async ([, headers, status]) => {
    const answer = await post(JSON.stringify(INITIALIZE), headers);
    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="plugbridge"/);
    if (status !== 200) expect(answer.text).not.toContain(server.token);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('refuses a missing token', async () => {
    const { status } = await fetch(server.url, { method: 'POST', body: JSON.stringify(INITIALIZE) });
    expect(status).toBe(401);
    expect((await fetch(server.url)).status).toBe(401);
    expect((await fetch(server.url, { method: 'DELETE' })).status).toBe(401);
  });

  test.for<[what: string, body: string, status: number, code: number]>([
    ['a body that is no JSON', '{"jsonrpc":', 400, -32_700],
    ['an empty body', '', 400, -32_700],
    ['a body that is too large', `"${'x'.repeat(9 * 1024 * 1024)}"`, 413, -32_000],
  ])('refuses %s and lives on', async ([, body, status, code]) => {
    // The connection may be closed while the rest of a large body is still being sent.
    const answer = await post(body).catch((error: unknown) => error);
    if (answer instanceof Error) expect(answer).toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
    else expect(answer).toMatchObject({ status, text: expect.stringContaining(`"code":${code}`) });
    await expectAlive();
  });

  test('refuses a large body by its announced length, before it is sent', async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST /mcp HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${server.token ?? ''}\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{`,
    );
    const [head] = (await new Promise<Buffer>((resolve) => socket.once('data', resolve))).toString().split('\r\n');
    expect(head).toBe('HTTP/1.1 413 Payload Too Large');
    socket.destroy();
    await expectAlive();
  });

  test('lives on after bytes that are no HTTP, and tells nothing elsewhere', async () => {
    const { hostname, port, origin } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {}).resume();
    socket.end(Buffer.from([0x16, 0x03, 0x01, 0, 0xff, 0xfe]));
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    expect((await fetch(`${origin}/../../etc/passwd`)).status).toBe(404);
    expect(await (await fetch(`${origin}/healthz`)).text()).toBe('{"status":"ok"}');
    await expectAlive();
  });
});
