import { expect, test } from 'vitest';

import { parseHeaders, parseMethod } from '../../../../src/executors/egress/headers.ts';

test.for([
  ['get', 'GET'],
  ['POST', 'POST'],
  ['Put', 'PUT'],
  ['delete', 'DELETE'],
  ['patch', 'PATCH'],
  ['head', 'HEAD'],
] as const)('parseMethod() reads %j as %s', ([text, method]) => {
  expect(parseMethod(text)).toBe(method);
});

test.for(['CONNECT', 'TRACE', 'OPTIONS', '', 'GET / HTTP/1.1\r\nX: y', 'constructor'])('parseMethod() refuses %j', (text) => {
  const message = `the method ${JSON.stringify(text)} is not one of GET, POST, PUT, DELETE, PATCH, HEAD`;
  expect(() => parseMethod(text)).toThrow(expect.objectContaining({ why: 'bad-method', message }));
});

test('parseHeaders() lower-cases names and keeps values', () => {
  expect([...parseHeaders({ 'X-Api-Key': 'k', Accept: 'text/plain; q=0.5\té' })]).toEqual([
    ['x-api-key', 'k'],
    ['accept', 'text/plain; q=0.5\té'],
  ]);
});

test.for([
  [{ 'X-A': 'a\r\nHost: evil.test' }, 'the value of the header "X-A" holds a character that none may hold'],
  [{ 'X-A': 'a\nb' }, 'the value of the header "X-A" holds a character that none may hold'],
  [{ 'X-A': 'a\0' }, 'the value of the header "X-A" holds a character that none may hold'],
  [{ 'X-A': '\u010a' }, 'the value of the header "X-A" holds a character that none may hold'],
  [{ 'X-A\r\nB': 'a' }, 'the header name "X-A\\r\\nB" holds a character that none may hold'],
  [{ 'X A': 'a' }, 'the header name "X A" holds a character that none may hold'],
  [{ 'X-A:': 'a' }, 'the header name "X-A:" holds a character that none may hold'],
  [{ '': 'a' }, 'the header name "" holds a character that none may hold'],
  [{ 'X-A': 'a', 'x-a': 'b' }, 'the header "x-a" is given twice'],
  [{ Host: 'evil.test' }, 'the header "Host" is set by the host alone'],
  [{ Connection: 'Upgrade' }, 'the header "Connection" is set by the host alone'],
  [{ 'transfer-Encoding': 'chunked' }, 'the header "transfer-Encoding" is set by the host alone'],
  [{ 'Content-Length': '0' }, 'the header "Content-Length" is set by the host alone'],
  [{ Upgrade: 'websocket' }, 'the header "Upgrade" is set by the host alone'],
  [{ Expect: '100-continue' }, 'the header "Expect" is set by the host alone'],
  [{ 'Proxy-Authorization': 'x' }, 'the header "Proxy-Authorization" is set by the host alone'],
  [{ 'Accept-Encoding': 'zstd' }, 'the header "Accept-Encoding" is set by the host alone'],
  [{ 'X-Long': 'x'.repeat(17_000) }, 'the headers are longer than 16384 bytes'],
] as const)('parseHeaders() refuses %j', ([headers, message]) => {
  expect(() => parseHeaders(headers)).toThrow(expect.objectContaining({ why: 'bad-header', message }));
});

test('parseHeaders() refuses more than 64', () => {
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`x-${index}`, '']));
  expect(() => parseHeaders(many)).toThrow('65 headers are given, at most 64 are allowed');
});
