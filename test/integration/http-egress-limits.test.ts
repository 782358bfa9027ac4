import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createBrotliCompress, createGzip, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

import { openEgress } from '../helpers/egress.ts';
import { closeOf, useHttpServer, useRawServer } from '../helpers/http-server.ts';

test('a body larger than allowed is not sent', async () => {
  const { request, asked } = openEgress({ limits: { maxRequestBytes: 4 } });
  expect(await request('http://127.0.0.1:9/', { method: 'POST', body: '12345' })).toEqual({
    ok: false,
    why: 'too-large',
    message: 'Cannot request "http://127.0.0.1:9/": its body is larger than 4 bytes',
  });
  expect(asked).toEqual([]);
});

test('an endless body ends at the limit, and so does its connection', async () => {
  const { port, server } = await useHttpServer((_request, response) => {
    const chunk = Buffer.alloc(65_536, 'x');
    const pour = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', pour);
    pour();
  });
  const gone = new Promise<void>((resolve) => server.once('connection', (socket) => void closeOf(socket).then(resolve)));
  const { request } = openEgress({ limits: { maxResponseBytes: 1_000_000 } });
  const message = `Cannot request "http://127.0.0.1:${port}/": the response is larger than 1000000 bytes`;
  expect(await request(`http://127.0.0.1:${port}/`)).toEqual({ ok: false, why: 'too-large', message });
  await gone;
});

test('a body of exactly the limit is read', async () => {
  const { port } = await useHttpServer((_request, response) => void response.end('x'.repeat(1000)));
  const answer = await openEgress({ limits: { maxResponseBytes: 1000 } }).request(`http://127.0.0.1:${port}/`);
  expect(answer).toEqual({ ok: true, status: 200, body: 'x'.repeat(1000) });
});

test.for([
  ['gzip', createGzip],
  ['br', createBrotliCompress],
] as const)('a %s bomb ends at the limit', async ([coding, create]) => {
  const { port } = await useHttpServer((_request, response) => {
    response.writeHead(200, { 'content-encoding': coding });
    const encoder = create();
    encoder.on('error', () => undefined);
    response.once('close', () => encoder.destroy());
    encoder.pipe(response);
    const zeros = Buffer.alloc(1 << 20);
    let left = 512;
    const pour = (): void => {
      while (left > 0 && !encoder.destroyed) {
        left -= 1;
        if (!encoder.write(zeros)) return;
      }
      if (!encoder.destroyed) encoder.end();
    };
    encoder.on('drain', pour);
    pour();
  });
  const before = process.memoryUsage().arrayBuffers;
  expect(await openEgress({ limits: { maxResponseBytes: 5_000_000 } }).request(`http://127.0.0.1:${port}/`)).toMatchObject({
    why: 'too-large',
  });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
});

test.for([
  ['no HTTP at all', 'SSH-2.0-OpenSSH\r\n', 'the connection ended without a valid response (HPE_INVALID_CONSTANT)'],
  ['nothing', '', 'the connection ended without a valid response (ECONNRESET)'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', undefined],
  ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', undefined],
  [
    'endless headers',
    `HTTP/1.1 200 OK\r\n${'X-Y: z\r\n'.repeat(5000)}\r\n`,
    'the connection ended without a valid response (HPE_HEADER_OVERFLOW)',
  ],
  ['an upgrade', 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'the connection ended without a response'],
  ['a body cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', 'the body broke off or could not be decoded (ECONNRESET)'],
  [
    'an unknown coding',
    'HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\n\r\nabc',
    'the body has the encoding "zstd", which was not asked for',
  ],
  [
    'a coding named like a method',
    'HTTP/1.1 200 OK\r\nContent-Encoding: constructor\r\n\r\nabc',
    'the body has the encoding "constructor", which was not asked for',
  ],
  [
    'codings upon codings',
    'HTTP/1.1 200 OK\r\nContent-Encoding: br, br, br\r\n\r\nabc',
    'the body is encoded 3 times, at most 2 are decoded',
  ],
  ['broken gzip', 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nabc', 'the body broke off or could not be decoded (Z_DATA_ERROR)'],
] as const)('a server that answers %s gets a bad-response', async ([, bytes, reason]) => {
  const port = await useRawServer((socket) => socket.once('data', () => socket.end(bytes)));
  const answer = await openEgress().request(`http://127.0.0.1:${port}/`);
  expect(answer).toMatchObject({ ok: false, why: 'bad-response' });
  if (reason !== undefined) expect(answer).toMatchObject({ message: `Cannot request "http://127.0.0.1:${port}/": ${reason}` });
});

test('a gzip body cut short is no body', async () => {
  const { port } = await useHttpServer((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello world').subarray(0, -6));
  });
  expect(await openEgress().request(`http://127.0.0.1:${port}/`)).toMatchObject({ ok: false, why: 'bad-response' });
});

test.for([
  ['never answers', () => undefined],
  [
    'sends a byte now and then',
    (socket: Socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const timer = setInterval(() => socket.write('x'), 20);
      socket.once('close', () => clearInterval(timer));
    },
  ],
  [
    'sends informational responses for ever',
    (socket: Socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 20);
      socket.once('close', () => clearInterval(timer));
    },
  ],
] as const)('a server that %s is left at the deadline', async ([, behave]) => {
  let gone: Promise<unknown> | undefined;
  const port = await useRawServer((socket) => {
    gone = closeOf(socket);
    socket.once('data', () => behave(socket));
  });
  const answer = await openEgress({ limits: { totalTimeoutMs: 300 } }).request(`http://127.0.0.1:${port}/`);
  expect(answer).toEqual({
    ok: false,
    why: 'timed-out',
    message: `Cannot request "http://127.0.0.1:${port}/": it took longer than 300 ms`,
  });
  await gone;
});

test('a TLS handshake that never ends is left at the time limit for connecting', async () => {
  const port = await useRawServer(() => undefined);
  const answer = await openEgress({ limits: { connectTimeoutMs: 200 } }).request(`https://127.0.0.1:${port}/`);
  const message = `Cannot request "https://127.0.0.1:${port}/": no connection to 127.0.0.1 stood within 200 ms`;
  expect(answer).toEqual({ ok: false, why: 'timed-out', message });
});

test('a resolver that never answers is left at the deadline', async () => {
  const { request } = openEgress({ lookup: () => new Promise(() => undefined), limits: { totalTimeoutMs: 100 } });
  expect(await request('http://slow.test/')).toMatchObject({ ok: false, why: 'timed-out' });
});

test('cancelling ends a request at once, before or during it', async () => {
  const controller = new AbortController();
  let gone: Promise<unknown> | undefined;
  const port = await useRawServer((socket) => {
    gone = closeOf(socket);
    socket.once('data', () => controller.abort());
  });
  const { request } = openEgress();
  const cancelled = { ok: false, why: 'cancelled', message: `Cannot request "http://127.0.0.1:${port}/": the call was cancelled` };
  expect(await request(`http://127.0.0.1:${port}/`, { signal: controller.signal })).toEqual(cancelled);
  await gone;
  const again = openEgress();
  expect(await again.request(`http://127.0.0.1:${port}/`, { signal: controller.signal })).toEqual(cancelled);
  expect(again.asked).toEqual([]);
});

test('cancelling during the body ends it', async () => {
  const controller = new AbortController();
  const { port } = await useHttpServer((_request, response) => {
    response.write('begin');
    setImmediate(() => controller.abort());
  });
  const answer = await openEgress().request(`http://127.0.0.1:${port}/`, { signal: controller.signal });
  expect(answer).toMatchObject({ ok: false, why: 'cancelled' });
});

test('a closed port is unreachable', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const message = `Cannot request "http://127.0.0.1:${port}/": no connection could be made (ECONNREFUSED)`;
  expect(await openEgress().request(`http://127.0.0.1:${port}/`)).toEqual({ ok: false, why: 'unreachable', message });
});
