import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';

import { useCertificates } from '../helpers/certificates.ts';
import { openEgress, refuseWhen } from '../helpers/egress.ts';
import { useHttpServer, useHttpsServer } from '../helpers/http-server.ts';

const toLoopback = () => Promise.resolve(['127.0.0.1']);

async function useEcho() {
  const seen: { method: string | undefined; url: string | undefined; headers: IncomingMessage['headers']; raw: string[]; body: string }[] =
    [];
  const { port } = await useHttpServer((request, response) => {
    void text(request).then((body) => {
      seen.push({ method: request.method, url: request.url, headers: request.headers, raw: request.rawHeaders, body });
      response.writeHead(201, { 'content-type': 'text/plain' }).end(`got ${body}`);
    });
  });
  return { port, seen };
}

test('request() sends method, path, headers and body, and returns status and text', async () => {
  const { port, seen } = await useEcho();
  const { request, asked } = openEgress({ lookup: toLoopback });
  const answer = await request(`http://api.test:${port}/a?b=1#c`, { method: 'post', headers: { 'X-Key': 'k' }, body: 'héllo' });
  expect(answer).toEqual({ ok: true, status: 201, body: 'got héllo' });
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ method: 'POST', url: '/a?b=1', body: 'héllo' });
  expect(seen[0]?.headers).toEqual({
    accept: '*/*',
    'user-agent': 'plugbridge',
    'x-key': 'k',
    host: `api.test:${port}`,
    connection: 'close',
    'accept-encoding': 'gzip, deflate, br',
    'content-length': '6',
  });
  expect(asked).toEqual([
    { kind: 'net', host: 'api.test', port },
    { kind: 'net-body', host: 'api.test', body: 'héllo' },
    { kind: 'net-address', host: 'api.test', port, address: '127.0.0.1' },
  ]);
});

test.for(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD'])('request() speaks %s, and an empty body is not sent', async (method) => {
  const { port, seen } = await useEcho();
  const { request, asked } = openEgress();
  expect(await request(`http://127.0.0.1:${port}/`, { method })).toEqual({ ok: true, status: 201, body: method === 'HEAD' ? '' : 'got ' });
  expect(seen[0]).toMatchObject({ method, body: '' });
  expect(asked.map(({ kind }) => kind)).toEqual(['net', 'net-address']);
});

test('request() returns errors of the server as they are', async () => {
  const { port } = await useHttpServer((_request, response) => void response.writeHead(503).end('later'));
  expect(await openEgress().request(`http://127.0.0.1:${port}/`)).toEqual({ ok: true, status: 503, body: 'later' });
});

test.for([
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['identity', (body: string) => Buffer.from(body)],
  ['gzip, br', (body: string) => brotliCompressSync(gzipSync(body))],
] as const)('request() decodes %s', async ([coding, encode]) => {
  const { port } = await useHttpServer(
    (_request, response) => void response.writeHead(200, { 'content-encoding': coding }).end(encode('wörld')),
  );
  expect(await openEgress().request(`http://127.0.0.1:${port}/`)).toEqual({ ok: true, status: 200, body: 'wörld' });
});

test('request() reads no body from HEAD, 204 and 304, whatever they announce', async () => {
  const { port } = await useHttpServer((request, response) => {
    response.writeHead(request.url === '/' ? 200 : Number(request.url?.slice(1)), { 'content-encoding': 'gzip' }).end();
  });
  const { request } = openEgress();
  expect(await request(`http://127.0.0.1:${port}/`, { method: 'HEAD' })).toEqual({ ok: true, status: 200, body: '' });
  expect(await request(`http://127.0.0.1:${port}/204`)).toEqual({ ok: true, status: 204, body: '' });
  expect(await request(`http://127.0.0.1:${port}/304`)).toEqual({ ok: true, status: 304, body: '' });
});

test('request() replaces what is not UTF-8 and drops a byte order mark', async () => {
  const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0x62]);
  const { port } = await useHttpServer((_request, response) => void response.end(bytes));
  expect(await openEgress().request(`http://127.0.0.1:${port}/`)).toEqual({ ok: true, status: 200, body: 'a\ufffdb' });
});

test('request() uses no proxy of the environment', async () => {
  const { port, seen } = await useEcho();
  for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']) {
    const before = process.env[name];
    process.env[name] = name.startsWith('NODE') ? '1' : 'http://127.0.0.1:1';
    onTestFinished(() => (before === undefined ? void delete process.env[name] : void (process.env[name] = before)));
  }
  expect(await openEgress().request(`http://127.0.0.1:${port}/direct`)).toMatchObject({ ok: true });
  expect(seen[0]?.url).toBe('/direct');
});

test('request() keeps no connection for the next one', async () => {
  const ports = new Set<number | undefined>();
  const { port } = await useHttpServer((request, response) => {
    ports.add(request.socket.remotePort);
    response.end('x');
  });
  const { request } = openEgress();
  for (let count = 0; count < 3; count += 1) await request(`http://127.0.0.1:${port}/`);
  expect(ports.size).toBe(3);
});

test('request() tries the next address when one can not be reached, and asked for all before', async () => {
  const { port } = await useEcho();
  const { request, asked } = openEgress({ lookup: () => Promise.resolve(['127.0.0.9', '127.0.0.1']) });
  expect(await request(`http://api.test:${port}/`)).toMatchObject({ ok: true, status: 201 });
  expect(asked.filter(({ kind }) => kind === 'net-address')).toHaveLength(2);
});

test('request() speaks TLS to the name of the URL at the checked address', async () => {
  const { authority, key, cert } = useCertificates('DNS:api.test');
  const names: (string | boolean | undefined)[] = [];
  const { port } = await useHttpsServer({ key, cert }, (request, response) => {
    names.push((request.socket as unknown as { servername?: string }).servername, request.headers.host);
    response.end('secure');
  });
  const { request } = openEgress({ lookup: toLoopback, certificateAuthorities: [authority] });
  expect(await request(`https://api.test:${port}/`)).toEqual({ ok: true, status: 200, body: 'secure' });
  expect(names).toEqual(['api.test', `api.test:${port}`]);
  expect(await request(`https://other.test:${port}/`)).toMatchObject({ ok: false, why: 'unreachable' });
  expect(await request(`https://127.0.0.1:${port}/`)).toMatchObject({ ok: false, why: 'unreachable' });
});

test('request() accepts a certificate for an address, and none of an unknown authority even when the environment would', async () => {
  const { authority, key, cert } = useCertificates('IP:127.0.0.1');
  const { port } = await useHttpsServer({ key, cert }, (_request, response) => void response.end('secure'));
  const trusting = openEgress({ certificateAuthorities: [authority] });
  expect(await trusting.request(`https://127.0.0.1:${port}/`)).toEqual({ ok: true, status: 200, body: 'secure' });
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  onTestFinished(() => void delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
  expect(await openEgress().request(`https://127.0.0.1:${port}/`)).toMatchObject({ ok: false, why: 'unreachable' });
});

test('request() refused for its host resolves and sends nothing', async () => {
  const { port, seen } = await useEcho();
  let resolved = 0;
  const lookup = () => ((resolved += 1), toLoopback());
  const { request } = openEgress({ lookup, permit: refuseWhen(({ kind }) => kind === 'net', 'the host is not declared') });
  expect(await request(`http://api.test:${port}/p?token=s3cret`)).toEqual({
    ok: false,
    why: 'refused',
    message: `Cannot request "http://api.test:${port}/p": the host is not declared`,
    refusal: { allowed: false, capability: 'net', by: 'grant', reason: 'the host is not declared' },
  });
  expect([resolved, seen.length]).toEqual([0, 0]);
});

test('request() refused for its body sends nothing', async () => {
  const { port, seen } = await useEcho();
  const { request } = openEgress({
    permit: refuseWhen((use) => use.kind === 'net-body' && use.body.includes('ghp_'), 'the body holds a secret'),
  });
  expect(await request(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'ghp_x' })).toMatchObject({ ok: false, why: 'refused' });
  expect(await request(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'fine' })).toMatchObject({ ok: true });
  expect(seen.map(({ body }) => body)).toEqual(['fine']);
});
