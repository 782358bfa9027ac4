import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { describe, test } from 'vitest';

import { createEgressProxy } from '../../src/executors/egress/proxy.ts';
import { parseAnswer, readAll, useEgressProxy } from '../helpers/egress-proxy.ts';
import { refuseWhen } from '../helpers/egress.ts';
import { closeOf, useHttpServer, useRawServer } from '../helpers/http-server.ts';

describe('an egress proxy', () => {
  test('passes a plain request on with its body, and the answer back, without the headers of the connection', async ({ expect }) => {
    const seen: unknown[] = [];
    const { port } = await useHttpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push([request.method, request.url, request.rawHeaders, Buffer.concat(chunks).toString('latin1')]);
        response.writeHead(201, { 'X-Answer': 'yes', 'Set-Cookie': ['a=1', 'b=2'], 'Proxy-Authenticate': 'no', 'Keep-Alive': 'timeout=9' });
        response.end('made');
      });
    });
    const { proxy, asked, say } = await useEgressProxy();
    const request = [
      `POST http://127.0.0.1:${port}/a?b=%C3%A9#c HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Connection: close, X-Hop',
      'X-Hop: only here',
      'Proxy-Authorization: secret',
      'Transfer-Encoding: chunked',
      'X-Kept: kept',
      '',
      '3\r\nabc\r\n2\r\n\xff\0\r\n0\r\n\r\n',
    ].join('\r\n');
    const answer = await say(Buffer.from(request, 'latin1'));
    expect(seen).toEqual([
      ['POST', '/a?b=%C3%A9', ['Host', `127.0.0.1:${port}`, 'X-Kept', 'kept', 'Content-Length', '5', 'Connection', 'close'], 'abc\xff\0'],
    ]);
    expect(parseAnswer(answer)).toMatchObject({ status: 201, body: expect.stringContaining('made') });
    expect(answer).toMatch(/^X-Answer: yes\r$/m);
    expect(answer.match(/^Set-Cookie: /gm)).toHaveLength(2);
    expect(answer).not.toMatch(/Proxy-Authenticate|timeout=9/);
    expect(asked).toEqual([
      { kind: 'net', host: '127.0.0.1', port },
      { kind: 'net-body', host: '127.0.0.1', body: expect.stringMatching(/^abc/) },
      { kind: 'net-address', host: '127.0.0.1', port, address: '127.0.0.1' },
    ]);
    expect(proxy.usage()).toEqual({ requests: 1, sentBytes: 5, receivedBytes: 4 });
  });

  test('tunnels bytes both ways, with what came before it was there', async ({ expect }) => {
    const port = await useRawServer((socket) => socket.pipe(socket));
    const { open, proxy, asked } = await useEgressProxy();
    const socket = open();
    socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\nearly`);
    const chunks: Buffer[] = [];
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (!socket.writableEnded && Buffer.concat(chunks).includes('early')) socket.end('late');
      });
      socket.once('close', () => resolve());
    });
    expect(Buffer.concat(chunks).toString()).toBe('HTTP/1.1 200 Connection Established\r\n\r\nearlylate');
    expect(asked.map(({ kind }) => kind)).toEqual(['net', 'net-address']);
    expect(proxy.usage()).toEqual({ requests: 1, sentBytes: 9, receivedBytes: 9 });
  });

  test('keeps a client’s connection and asks for each request on it anew', async ({ expect }) => {
    const { port } = await useHttpServer((request, response) => response.end(`at ${request.url}`));
    const { open, asked } = await useEgressProxy();
    const request = (path: string, connection: string) =>
      `GET http://127.0.0.1:${port}${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: ${connection}\r\n\r\n`;
    const answer = await readAll(open(), request('/one', 'keep-alive') + request('/two', 'close'));
    expect(answer.match(/at \/(?:one|two)/g)).toEqual(['at /one', 'at /two']);
    expect(asked).toHaveLength(4);
  });

  test('follows no redirect: the client does, and is asked for again', async ({ expect }) => {
    const { port } = await useHttpServer((_request, response) => response.writeHead(302, { location: 'http://undeclared.test/' }).end());
    const { get, asked } = await useEgressProxy();
    expect(await get(`http://127.0.0.1:${port}/`)).toMatch(/^HTTP\/1\.1 302 [\s\S]*^location: http:\/\/undeclared\.test\/\r$/im);
    expect(asked).toHaveLength(2);
  });

  test('refuses everything until a call is there', async ({ expect }) => {
    const { port } = await useHttpServer((_request, response) => response.end('reached'));
    const { proxy, get, say } = await useEgressProxy({ attached: false });
    const refused = { status: 403, body: `Cannot reach "127.0.0.1:${port}": no call is running\n` };
    expect(parseAnswer(await get(`http://127.0.0.1:${port}/`))).toEqual(refused);
    expect(parseAnswer(await say(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: a\r\n\r\n`))).toEqual(refused);
    proxy.attach(() => ({ allowed: true }));
    expect(parseAnswer(await get(`http://127.0.0.1:${port}/`)).status).toBe(200);
  });

  test('says in one line what was refused, and by whom', async ({ expect }) => {
    const permit = refuseWhen(() => true, 'nobody granted\r\nit');
    const { get, say } = await useEgressProxy({ permit });
    const body = 'Cannot reach "api.test:80": nobody granted it (net, refused by the grant)\n';
    expect(parseAnswer(await get('http://api.test/secret?key=s3cret'))).toEqual({ status: 403, body });
    const answer = await say('CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n');
    expect(answer.split('\r\n')[0]).toBe('HTTP/1.1 403 Forbidden: net refused by the grant');
    expect(parseAnswer(answer).body).toBe(body.replace(':80', ':443'));
  });

  test('answers 502 for what cannot be resolved or reached, and 413 for a body that is too large', async ({ expect }) => {
    const { get, say } = await useEgressProxy({
      limits: { requestBytes: 10 },
      lookup: (host) => (host === 'closed.test' ? Promise.resolve(['127.0.0.1']) : Promise.reject(new Error('no'))),
    });
    expect(parseAnswer(await get('http://absent.test/'))).toEqual({
      status: 502,
      body: 'Cannot reach "absent.test:80": the host "absent.test" has no address\n',
    });
    expect(parseAnswer(await get('http://closed.test:1/'))).toMatchObject({ status: 502, body: expect.stringContaining('ECONNREFUSED') });
    expect(parseAnswer(await say('CONNECT closed.test:1 HTTP/1.1\r\nHost: closed.test:1\r\n\r\n'))).toMatchObject({ status: 502 });
    const large = await say('POST http://closed.test/ HTTP/1.1\r\nHost: closed.test\r\nContent-Length: 11\r\n\r\n12345678901');
    expect(parseAnswer(large)).toMatchObject({ status: 413, body: expect.stringContaining('larger than 10 bytes') });
  });

  test('tries the next address when one cannot be reached', async ({ expect }) => {
    const { port } = await useHttpServer((_request, response) => response.end('second'), '127.0.0.2');
    const { get, say } = await useEgressProxy({ lookup: () => Promise.resolve(['127.0.0.3', '127.0.0.2']) });
    expect(parseAnswer(await get(`http://two.test:${port}/`)).status).toBe(200);
    const tunnelled = await say(
      `CONNECT two.test:${port} HTTP/1.1\r\nHost: two.test:${port}\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect(tunnelled).toContain('second');
  });

  test('ends everything once more has moved than may', async ({ expect }) => {
    const { port } = await useHttpServer((_request, response) => {
      response.on('error', () => undefined);
      response.write(Buffer.alloc(200_000));
    });
    const { get, proxy } = await useEgressProxy({ limits: { totalBytes: 100_000 } });
    const answer = await get(`http://127.0.0.1:${port}/`);
    expect(answer.length).toBeLessThan(200_000);
    expect(proxy.usage().receivedBytes).toBeGreaterThan(100_000);
    expect(parseAnswer(await get(`http://127.0.0.1:${port}/`))).toEqual({
      status: 413,
      body: `Cannot reach "127.0.0.1:${port}": more than 100000 bytes have passed in this call\n`,
    });
  });

  test('ends a connection on which nothing moves', async ({ expect }) => {
    const gone: Promise<void>[] = [];
    const port = await useRawServer((socket) => void gone.push(closeOf(socket.resume())));
    const { get, say } = await useEgressProxy({ limits: { idleTimeoutMs: 50 } });
    expect(parseAnswer(await get(`http://127.0.0.1:${port}/`))).toMatchObject({ status: 502 });
    expect(await say(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    await Promise.all(gone);
    expect(gone).toHaveLength(2);
  });

  test('takes no more connections than it may', async ({ expect }) => {
    const { open, get } = await useEgressProxy({ limits: { connections: 2 } });
    const held = [open(), open()];
    await Promise.all(held.map((socket) => new Promise<void>((resolve) => socket.once('connect', () => resolve()))));
    expect(await get('http://a.test/')).toBe('');
    for (const socket of held) socket.destroy();
  });

  test('lets go of the other side when its client leaves, and of all when it closes', async ({ expect }) => {
    const gone: Promise<void>[] = [];
    let arrive = (): void => undefined;
    const port = await useRawServer((socket) => {
      gone.push(closeOf(socket.resume()));
      arrive();
    });
    const arrival = (): Promise<void> => new Promise((resolve) => (arrive = resolve));
    const { open, proxy } = await useEgressProxy();
    const plain = open();
    let arrived = arrival();
    plain.write(`GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    await arrived;
    plain.destroy();
    await gone[0];
    arrived = arrival();
    const tunnelled = open();
    tunnelled.on('error', () => undefined);
    tunnelled.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    await arrived;
    await Promise.all([proxy.close(), proxy.close()]);
    await gone[1];
    expect(gone).toHaveLength(2);
  });

  test('has a socket that every user may use and nobody can list, and leaves nothing', async ({ expect }) => {
    const proxy = await createEgressProxy();
    const directory = dirname(proxy.socketFile);
    expect(statSync(directory).mode & 0o777).toBe(0o711);
    expect(statSync(proxy.socketFile).mode & 0o777).toBe(0o666);
    expect(proxy.socketFile).toMatch(/\/plugbridge-\d+\.\d+\.\d+-\w{6}\/[0-9a-f]{24}$/);
    await proxy.close();
    expect(existsSync(directory)).toBe(false);
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 20; round += 1) await (await createEgressProxy()).close();
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 1);
  });
});
