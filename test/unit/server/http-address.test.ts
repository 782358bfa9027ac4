import { expect, test } from 'vitest';
import { isLoopback, parseListenAddress, toUrlHost } from '../../../src/server/http-address.ts';

test.for([
  { text: '8080', host: '127.0.0.1', port: 8080 },
  { text: '0', host: '127.0.0.1', port: 0 },
  { text: '127.0.0.1:65535', host: '127.0.0.1', port: 65_535 },
  { text: 'localhost:80', host: '127.0.0.1', port: 80 },
  { text: 'LOCALHOST:80', host: '127.0.0.1', port: 80 },
  { text: '[::1]:80', host: '::1', port: 80 },
  { text: '0.0.0.0:1', host: '0.0.0.0', port: 1 },
  { text: 'box.example:1', host: 'box.example', port: 1 },
])('parseListenAddress() reads $text', ({ text, host, port }) => {
  expect(parseListenAddress(text)).toEqual({ host, port });
});

test.for([
  '',
  ':80',
  'x',
  '65536',
  '-1',
  '1e3',
  '::1:80',
  '[127.0.0.1]:80',
  '[::1]',
  'a b:80',
  '1.2.3:80',
  '256.1.1.1:80',
  'http://x:80',
  '80 ',
  '-a:1',
  'a..b:1',
])('parseListenAddress() refuses "%s"', (text) => {
  expect(() => parseListenAddress(text)).toThrow(`Cannot listen on "${text}": it must be [HOST:]PORT, with a port from 0 to 65535`);
});

test.for([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['0:0:0:0:0:0:0:1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['128.0.0.1', false],
  ['::ffff:127.0.0.1', false],
  ['localhost', false],
  ['127.0.0.1.evil.example', false],
] as const)('isLoopback() says of %s: %s', ([host, expected]) => {
  expect(isLoopback(host)).toBe(expected);
});

test('toUrlHost() brackets IPv6 and shortens it', () => {
  expect(['127.0.0.1', 'box', '0:0:0:0:0:0:0:1'].map(toUrlHost)).toEqual(['127.0.0.1', 'box', '[::1]']);
});
