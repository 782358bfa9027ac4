import { describe, test } from 'vitest';

import type { CapabilityUse, Permit } from '../../src/executors/executor.ts';
import { parseAnswer, useEgressProxy } from '../helpers/egress-proxy.ts';
import { refuseWhen } from '../helpers/egress.ts';
import { useHttpServer, useRawServer } from '../helpers/http-server.ts';

/** As a grant of `net:api.test:PORT` would rule: one host, one port, public addresses. */
const onlyApi =
  (port: number, isPublic = (address: string): boolean => address === '127.0.0.2') =>
  (use: CapabilityUse): Permit =>
    (use.kind === 'net' && use.host === 'api.test' && use.port === port) || (use.kind === 'net-address' && isPublic(use.address))
      ? { allowed: true }
      : { allowed: false, capability: use.kind, by: 'grant', reason: 'it is not granted' };

/** A server that must not be reached, and how often it was. */
async function useForbiddenServer(address = '0.0.0.0') {
  const hits: string[] = [];
  const { port, server } = await useHttpServer((request, response) => {
    hits.push(request.socket.localAddress ?? '');
    response.end('reached');
  }, address);
  server.on('connection', (socket) => hits.push(`connection to ${socket.localAddress}`));
  return { port, hits };
}

const noLookup = () => Promise.reject(new Error('must not be resolved'));
const connectTo = (authority: string, host = authority): string => `CONNECT ${authority} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

describe('an egress proxy under attack', () => {
  test.for([
    ['127.0.0.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['0x7f000001', '127.0.0.1'],
    ['0177.0.0.1', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['0', '0.0.0.0'],
    ['%31%32%37.0.0.1', '127.0.0.1'],
    ['169.254.169.254', '169.254.169.254'],
    ['[::1]', '[::1]'],
    ['[::ffff:127.0.0.1]', '[::ffff:7f00:1]'],
    ['[::127.0.0.1]', '[::7f00:1]'],
    ['[64:ff9b::7f00:1]', '[64:ff9b::7f00:1]'],
    ['[2002:7f00:1::]', '[2002:7f00:1::]'],
    ['[::]', '[::]'],
  ] as const)('rows 27, 28: asks for %s as %s, and reaches it not at all', async ([spelling, canonical], { expect }) => {
    const { port, hits } = await useForbiddenServer();
    const { get, say, asked } = await useEgressProxy({ permit: onlyApi(port), lookup: noLookup });
    expect(parseAnswer(await get(`http://${spelling}:${port}/`)).status).toBe(403);
    expect(parseAnswer(await say(connectTo(`${spelling}:${port}`))).status).toBe(403);
    expect(asked).toEqual(Array.from({ length: 2 }, () => ({ kind: 'net', host: canonical, port })));
    expect(hits).toEqual([]);
  });

  test.for(['[fe80::1%25eth0]', '[::1%lo]', '127.0.0.1.', '１２７.0.0.1'])(
    'rows 27, 28: refuses or normalises %s',
    async (spelling, { expect }) => {
      const { port, hits } = await useForbiddenServer();
      const { get, say } = await useEgressProxy({ permit: onlyApi(port), lookup: noLookup });
      expect([400, 403]).toContain(parseAnswer(await get(`http://${spelling}:${port}/`)).status);
      expect([400, 403]).toContain(parseAnswer(await say(connectTo(`${spelling}:${port}`))).status);
      expect(hits).toEqual([]);
    },
  );

  test('row 29: dials the address that was checked, whatever a name answers later', async ({ expect }) => {
    const { port, hits } = await useForbiddenServer();
    let lookups = 0;
    const lookup = () => Promise.resolve(lookups++ % 2 === 0 ? ['127.0.0.2'] : ['127.0.0.1']);
    const { get, say } = await useEgressProxy({ permit: onlyApi(port), lookup });
    expect(parseAnswer(await get(`http://api.test:${port}/`)).status).toBe(200);
    expect([lookups, hits]).toEqual([1, ['connection to 127.0.0.2', '127.0.0.2']]);
    expect(parseAnswer(await get(`http://api.test:${port}/`)).status).toBe(403);
    expect(await say(`${connectTo(`api.test:${port}`)}GET / HTTP/1.0\r\n\r\n`)).toContain('200 Connection Established');
    expect(parseAnswer(await say(connectTo(`api.test:${port}`))).status).toBe(403);
    expect(hits.filter((hit) => !hit.includes('127.0.0.2'))).toEqual([]);
  });

  test('row 29: refuses a host of which one address is refused, whichever place that has', async ({ expect }) => {
    const { port, hits } = await useForbiddenServer();
    for (const addresses of [
      ['127.0.0.2', '127.0.0.1'],
      ['127.0.0.1', '127.0.0.2'],
      ['127.0.0.2', '::1'],
    ]) {
      const { get, say } = await useEgressProxy({ permit: onlyApi(port), lookup: () => Promise.resolve(addresses) });
      expect(parseAnswer(await get(`http://api.test:${port}/`)).status).toBe(403);
      expect(parseAnswer(await say(connectTo(`api.test:${port}`))).status).toBe(403);
    }
    expect(hits).toEqual([]);
  });

  test('row 30: a redirect of the permitted host leads nowhere that is not asked for', async ({ expect }) => {
    const inner = await useForbiddenServer();
    const { port } = await useHttpServer(
      (_request, response) => response.writeHead(302, { location: `http://127.0.0.1:${inner.port}/` }).end(),
      '127.0.0.2',
    );
    const { get } = await useEgressProxy({ permit: onlyApi(port), lookup: () => Promise.resolve(['127.0.0.2']) });
    const location = /^location: (.*)\r$/im.exec(await get(`http://api.test:${port}/`))?.[1];
    expect(location).toBe(`http://127.0.0.1:${inner.port}/`);
    expect(parseAnswer(await get(location ?? '')).status).toBe(403);
    expect(inner.hits).toEqual([]);
  });

  test.for([
    ['evilapi.test', 0, 403],
    ['api.test.evil.test', 0, 403],
    ['sub.api.test', 0, 403],
    ['api.test', 1, 403],
    ['api.test@evil.test', 0, 400],
    ['аpi.test', 0, 400],
    ['a_pi!.test', 0, 400],
  ] as const)('row 31: refuses %s, off by %i from the granted port', async ([host, offset, status], { expect }) => {
    const { port, hits } = await useForbiddenServer();
    const { get, say } = await useEgressProxy({ permit: onlyApi(port), lookup: noLookup });
    const place = `${host}:${port + offset}`;
    const got = [parseAnswer(await get(`http://${place}/`)).status, parseAnswer(await say(connectTo(place))).status];
    // What is spelled beyond ASCII arrives as other bytes, and is another name at best.
    expect(got.every((one) => one === status || (status === 400 && one === 403))).toBe(true);
    expect(hits).toEqual([]);
  });

  test('row 31: a trailing dot, upper case and an absent port mean what they mean elsewhere', async ({ expect }) => {
    const { get, asked } = await useEgressProxy({ permit: refuseWhen(() => true) });
    for (const url of ['http://API.test./', 'http://api.test:80/', 'http://api.test']) expect(parseAnswer(await get(url)).status).toBe(403);
    expect(asked).toEqual(Array.from({ length: 3 }, () => ({ kind: 'net', host: 'api.test', port: 80 })));
  });

  test.for([
    ['another Host', 'GET http://api.test:PORT/ HTTP/1.1\r\nHost: evil.test\r\n\r\n'],
    ['another port in Host', 'GET http://api.test:PORT/ HTTP/1.1\r\nHost: api.test:1\r\n\r\n'],
    ['a Host that is none', 'GET http://api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT/evil\r\n\r\n'],
    ['two Hosts', 'GET http://api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT\r\nHost: evil.test\r\n\r\n'],
    ['another Host for a tunnel', 'CONNECT api.test:PORT HTTP/1.1\r\nHost: evil.test:PORT\r\n\r\n'],
    ['two lengths', 'POST http://api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef'],
    [
      'a length and chunks',
      'POST http://api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['odd chunks', 'POST http://api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['a bare carriage return', 'GET http://api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT\r\nX: a\rb\r\n\r\n'],
    ['a bare line feed', 'GET http://api.test:PORT/ HTTP/1.1\nHost: api.test:PORT\nX: y\n\n'],
    ['a folded header', 'GET http://api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT\r\nX: a\r\n b\r\n\r\n'],
    ['a NUL', 'GET http://api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT\r\nX: a\0b\r\n\r\n'],
    ['a space before the colon', 'GET http://api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT\r\nX : b\r\n\r\n'],
    ['a space in the target', 'GET http://api.test:PORT/ /evil HTTP/1.1\r\nHost: api.test:PORT\r\n\r\n'],
    ['no absolute target', 'GET / HTTP/1.1\r\nHost: api.test:PORT\r\n\r\n'],
    ['https without a tunnel', 'GET https://api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT\r\n\r\n'],
    ['another scheme', 'GET ftp://api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT\r\n\r\n'],
    ['a user in the target', 'GET http://u:p@api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT\r\n\r\n'],
    ['a tunnel without a port', 'CONNECT api.test HTTP/1.1\r\nHost: api.test\r\n\r\n'],
    ['a tunnel with a path', 'CONNECT api.test:PORT/x HTTP/1.1\r\nHost: api.test:PORT\r\n\r\n'],
    ['a tunnel with a user', 'CONNECT u@api.test:PORT HTTP/1.1\r\nHost: api.test:PORT\r\n\r\n'],
    ['TRACE', 'TRACE http://api.test:PORT/ HTTP/1.1\r\nHost: api.test:PORT\r\n\r\n'],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(80, 'x')],
  ] as const)('row 32: refuses %s before anything is sent', async ([, text], { expect }) => {
    const received: Buffer[] = [];
    const port = await useRawServer(
      (socket) => void socket.on('data', (chunk: Buffer) => received.push(chunk)).end('HTTP/1.1 200 OK\r\n\r\n'),
    );
    const { say } = await useEgressProxy({ lookup: () => Promise.resolve(['127.0.0.1']), limits: { idleTimeoutMs: 500 } });
    const answer = await say(Buffer.from(text.replaceAll('PORT', String(port)), 'latin1'));
    expect(answer).not.toMatch(/ 200 /);
    expect([400, 403, 405]).toContain(parseAnswer(answer).status);
    expect(received).toEqual([]);
  });

  test('row 32: a request behind a refused one on the same connection is not read as another', async ({ expect }) => {
    const { port, hits } = await useForbiddenServer('127.0.0.1');
    const { say, asked } = await useEgressProxy({ permit: refuseWhen((use) => use.kind === 'net' && use.host !== '127.0.0.1') });
    const hidden = `GET http://127.0.0.1:${port}/smuggled HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    await say(`POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`);
    expect(asked).toEqual([{ kind: 'net', host: 'a.test', port: 80 }]);
    expect(hits).toEqual([]);
  });

  test('row 32: what is too long is refused', async ({ expect }) => {
    const { get, say, asked } = await useEgressProxy();
    expect((await get(`http://a.test/${'x'.repeat(9000)}`)).split(' ')[1]).toBe('400');
    expect((await get('http://a.test/', `Host: a.test\r\nX: ${'x'.repeat(20_000)}\r\n`)).split(' ')[1]).toBe('400');
    expect((await say(connectTo(`${'a'.repeat(300)}.test:80`))).split(' ')[1]).toBe('400');
    expect(asked).toEqual([]);
  });

  test('an answer that is none, or that breaks off, never looks like a whole one', async ({ expect }) => {
    const answers = [
      'nothing of HTTP\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ];
    for (const answer of answers) {
      const port = await useRawServer((socket) => void socket.once('data', () => socket.end(answer)));
      const { get } = await useEgressProxy();
      expect(parseAnswer(await get(`http://127.0.0.1:${port}/`))).toMatchObject({ status: 502 });
    }
    const port = await useRawServer(
      (socket) => void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort')),
    );
    const { get } = await useEgressProxy();
    const text = await get(`http://127.0.0.1:${port}/`);
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*Content-Length: 100[\s\S]*short$/);
  });
});
