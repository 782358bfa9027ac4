import { expect, test } from 'vitest';

import { openEgress, refuseWhen } from '../helpers/egress.ts';
import { useHttpServer, useRawServer } from '../helpers/http-server.ts';

test('row 29: a name that answers differently the second time is dialled at the checked address', async () => {
  const hits: string[] = [];
  const { port } = await useHttpServer((request, response) => {
    hits.push(request.socket.localAddress ?? '');
    response.end('ok');
  }, '0.0.0.0');
  const answers = [['127.0.0.2'], ['127.0.0.1']];
  let lookups = 0;
  const lookup = () => Promise.resolve(answers[lookups++] ?? []);
  const { request, asked } = openEgress({ lookup, permit: refuseWhen((use) => use.kind === 'net-address' && use.address === '127.0.0.1') });
  expect(await request(`http://rebind.test:${port}/`)).toMatchObject({ ok: true });
  expect([lookups, hits]).toEqual([1, ['127.0.0.2']]);
  expect(asked.filter(({ kind }) => kind === 'net-address')).toMatchObject([{ address: '127.0.0.2' }]);
  expect(await request(`http://rebind.test:${port}/`)).toMatchObject({ ok: false, why: 'refused' });
  expect(hits).toEqual(['127.0.0.2']);
});

test('row 29: one refused address among several refuses the host', async () => {
  let hits = 0;
  const { port } = await useHttpServer((_request, response) => void ((hits += 1), response.end()), '0.0.0.0');
  const lookup = () => Promise.resolve(['127.0.0.2', '127.0.0.1']);
  const { request } = openEgress({ lookup, permit: refuseWhen((use) => use.kind === 'net-address' && use.address === '127.0.0.1') });
  expect(await request(`http://mixed.test:${port}/`)).toMatchObject({ ok: false, why: 'refused' });
  expect(hits).toBe(0);
});

test.for([
  ['http://169.254.169.254/latest/meta-data', { host: '169.254.169.254', port: 80 }],
  ['http://0xa9fea9fe/', { host: '169.254.169.254', port: 80 }],
  ['http://undeclared.test/', { host: 'undeclared.test', port: 80 }],
  ['//undeclared.test:81/', { host: 'undeclared.test', port: 81 }],
  ['http://[::ffff:169.254.169.254]/', { host: '[::ffff:a9fe:a9fe]', port: 80 }],
] as const)('row 30: a redirect to %s is asked for as its own host and refused', async ([location, wanted]) => {
  const { port } = await useHttpServer((_request, response) => void response.writeHead(302, { location }).end());
  const lookup = () => Promise.reject(new Error('must not be resolved'));
  const { request, asked } = openEgress({ lookup, permit: refuseWhen((use) => use.kind === 'net' && use.host !== '127.0.0.1') });
  expect(await request(`http://127.0.0.1:${port}/`)).toMatchObject({ ok: false, why: 'refused', refusal: { by: 'grant' } });
  expect(asked.at(-1)).toEqual({ kind: 'net', ...wanted });
});

test('row 30: a redirect to another port of the same host is asked for again', async () => {
  let hits = 0;
  const inner = await useHttpServer((_request, response) => void ((hits += 1), response.end('inner')));
  const outer = await useHttpServer(
    (_request, response) => void response.writeHead(307, { location: `http://127.0.0.1:${inner.port}/` }).end(),
  );
  const { request } = openEgress({ permit: refuseWhen((use) => use.kind === 'net' && use.port === inner.port) });
  expect(await request(`http://127.0.0.1:${outer.port}/`)).toMatchObject({ ok: false, why: 'refused' });
  expect(hits).toBe(0);
});

test('row 30: a redirect that is permitted drops credentials and has its body scanned again', async () => {
  const seen: unknown[] = [];
  const inner = await useHttpServer((request, response) => {
    seen.push([request.method, request.headers.authorization, request.headers.cookie, request.headers['x-keep']]);
    response.end('there');
  });
  const outer = await useHttpServer(
    (_request, response) => void response.writeHead(307, { location: `http://inner.test:${inner.port}/` }).end('gone'),
  );
  const { request, asked } = openEgress({ lookup: () => Promise.resolve(['127.0.0.1']) });
  const headers = { Authorization: 'Bearer s', Cookie: 'a=b', 'X-Keep': '1' };
  const answer = await request(`http://outer.test:${outer.port}/`, { method: 'POST', headers, body: 'text' });
  expect(answer).toEqual({ ok: true, status: 200, body: 'there' });
  expect(seen).toEqual([['POST', undefined, undefined, '1']]);
  expect(asked.map((use) => ('host' in use ? `${use.kind} ${use.host}` : ''))).toEqual([
    'net outer.test',
    'net-body outer.test',
    'net-address outer.test',
    'net inner.test',
    'net-body inner.test',
    'net-address inner.test',
  ]);
});

test('row 30: five redirects are followed, the sixth is not', async () => {
  const { port } = await useHttpServer((request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end('arrived');
    else response.writeHead(302, { location: `/${left - 1}` }).end();
  });
  const { request } = openEgress();
  expect(await request(`http://127.0.0.1:${port}/5`)).toEqual({ ok: true, status: 200, body: 'arrived' });
  const message = `Cannot request "http://127.0.0.1:${port}/6": it redirects more than 5 times`;
  expect(await request(`http://127.0.0.1:${port}/6`)).toEqual({ ok: false, why: 'too-many-redirects', message });
});

test('row 32: no header or method of a plugin changes the framing of a request', async () => {
  const received: Buffer[] = [];
  const port = await useRawServer((socket) => socket.on('data', (chunk: Buffer) => received.push(chunk)));
  const { request, asked } = openEgress();
  const url = `http://127.0.0.1:${port}/`;
  for (const headers of [
    { 'X-A': 'a\r\nHost: evil' },
    { Host: 'evil.test' },
    { 'Transfer-Encoding': 'chunked' },
    { 'Content-Length': '5' },
  ]) {
    expect(await request(url, { headers })).toMatchObject({ ok: false, why: 'bad-header' });
  }
  expect(await request(url, { method: 'GET / HTTP/1.1\r\n\r\nGET' })).toMatchObject({ ok: false, why: 'bad-method' });
  expect(await request(`${url}\r\nX: y`)).toMatchObject({ ok: false, why: 'bad-url' });
  expect([received, asked]).toEqual([[], []]);
});

test('a message shows neither query nor user of a URL', async () => {
  const { request } = openEgress({ permit: refuseWhen(() => true) });
  const answers = [
    await request('http://a.test/p?key=s3cret#s3cret'),
    await request('http://u:s3cret@a.test/'),
    await request('http://[s3cret'),
  ];
  expect(answers.map((answer) => !answer.ok && answer.message)).toEqual([
    'Cannot request "http://a.test/p": it is not granted',
    'Cannot request "http://a.test/": it holds a user or password',
    'Cannot request this URL: it is not a valid absolute URL',
  ]);
});
