import fc from 'fast-check';
import { expect, test } from 'vitest';

import { EgressProblem } from '../../../../src/executors/egress/result.ts';
import { authorityOf, parseTarget } from '../../../../src/executors/egress/target.ts';

const problemOf = (url: string): string | undefined => {
  try {
    parseTarget(url);
    return undefined;
  } catch (error) {
    if (error instanceof EgressProblem) return error.message;
    throw error;
  }
};

test.for([
  ['https://example.test/a?b=c#d', 'example.test', 443, undefined, '/a?b=c', 'example.test'],
  ['http://Example.TEST', 'example.test', 80, undefined, '/', 'example.test'],
  ['http://example.test.:8080/', 'example.test', 8080, undefined, '/', 'example.test:8080'],
  ['https://bücher.test/', 'xn--bcher-kva.test', 443, undefined, '/', 'xn--bcher-kva.test'],
  ['http://example.test:443/', 'example.test', 443, undefined, '/', 'example.test:443'],
  ['https://evil.test\\.allowed.test/', 'evil.test', 443, undefined, '/.allowed.test/', 'evil.test'],
  ['https://evil.test?.allowed.test', 'evil.test', 443, undefined, '/?.allowed.test', 'evil.test'],
  ['https://evil.test#.allowed.test', 'evil.test', 443, undefined, '/', 'evil.test'],
  ['http://2130706433/', '127.0.0.1', 80, '127.0.0.1', '/', '127.0.0.1'],
  ['http://0x7f000001/', '127.0.0.1', 80, '127.0.0.1', '/', '127.0.0.1'],
  ['http://0177.0.0.1/', '127.0.0.1', 80, '127.0.0.1', '/', '127.0.0.1'],
  ['http://127.1/', '127.0.0.1', 80, '127.0.0.1', '/', '127.0.0.1'],
  ['http://127.0.0.1./', '127.0.0.1', 80, '127.0.0.1', '/', '127.0.0.1'],
  ['http://１２７.０.０.１/', '127.0.0.1', 80, '127.0.0.1', '/', '127.0.0.1'],
  ['http://127。0。0。1/', '127.0.0.1', 80, '127.0.0.1', '/', '127.0.0.1'],
  ['http://[::1]:8080/', '[::1]', 8080, '::1', '/', '[::1]:8080'],
  ['http://[0:0:0:0:0:0:0:1]/', '[::1]', 80, '::1', '/', '[::1]'],
  ['http://[::ffff:127.0.0.1]/', '[::ffff:7f00:1]', 80, '::ffff:7f00:1', '/', '[::ffff:7f00:1]'],
  ['http://[::127.0.0.1]/', '[::7f00:1]', 80, '::7f00:1', '/', '[::7f00:1]'],
] as const)('parseTarget() reads %s as host %s', ([url, host, port, literal, path, authority]) => {
  const target = parseTarget(url);
  expect(target).toMatchObject({ host, port, literal, path });
  expect(authorityOf(target)).toBe(authority);
});

test.for([
  ['', 'it is not a valid absolute URL'],
  ['/relative', 'it is not a valid absolute URL'],
  ['example.test/x', 'it is not a valid absolute URL'],
  ['http://', 'it is not a valid absolute URL'],
  ['file:///etc/passwd', 'its scheme is "file:", http or https is wanted'],
  ['ftp://example.test/', 'its scheme is "ftp:", http or https is wanted'],
  ['data:text/plain,x', 'its scheme is "data:", http or https is wanted'],
  ['unix:/run/docker.sock', 'its scheme is "unix:", http or https is wanted'],
  ['https://allowed.test:x@evil.test/', 'it holds a user or password'],
  ['https://user@evil.test/', 'it holds a user or password'],
  ['https://:p@evil.test/', 'it holds a user or password'],
  ['http://example.test:0/', 'its port is 0'],
  ['http://example.test:65536/', 'it is not a valid absolute URL'],
  ['http://example.test..:80/', 'its host is neither a name nor an address'],
  ['http://.example.test/', 'its host is neither a name nor an address'],
  ['http://./', 'its host is neither a name nor an address'],
  ['http://a,b/', 'its host is neither a name nor an address'],
  ['http://[fe80::1%25eth0]/', 'it is not a valid absolute URL'],
  ['http://256.1.1.1/', 'it is not a valid absolute URL'],
  [' http://example.test/', 'it holds a space or control character'],
  ['http://exam\tple.test/', 'it holds a space or control character'],
  ['http://example.test/\r\nHost: x', 'it holds a space or control character'],
  ['http://example.test/\0', 'it holds a space or control character'],
  [`http://example.test/${'x'.repeat(8200)}`, 'it is longer than 8192 characters'],
] as const)('parseTarget() refuses %j', ([url, message]) => {
  expect(problemOf(url)).toBe(message);
});

test('parseTarget() never lets a control character or a user into what is sent', () => {
  const part = fc.oneof(
    fc.constantFrom('@', ':', '/', '?', '#', '\\', '.', '\r', '\n', '%0d%0a', '[', ']', 'a.test'),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const url = `http://${parts.join('')}`;
      if (problemOf(url) !== undefined) return;
      const target = parseTarget(url);
      expect(target.path).toMatch(/^\/[\u0021-\u007e]*$/);
      expect(authorityOf(target)).toMatch(/^[a-z0-9._\-[\]:]+$/);
    }),
    { numRuns: 2000 },
  );
});
