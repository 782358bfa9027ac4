import fc from 'fast-check';
import { expect, test } from 'vitest';

import { classifyAddress, type AddressClass } from '../../../src/policy/addresses.ts';
import { coversHost, normalizeAddress, normalizeHost, readTarget } from '../../../src/policy/hosts.ts';

const issueOf = (url: string): string | undefined => {
  const target = readTarget(url);
  return 'issue' in target ? target.issue : undefined;
};

/** The spellings of loopback that sandbox.md §B tried: each must come out as an address that is not public, or be refused. */
test.for([
  ['http://127.0.0.1/', '127.0.0.1'],
  ['http://2130706433/', '127.0.0.1'],
  ['http://0x7f000001/', '127.0.0.1'],
  ['http://0x7f.0.0.1/', '127.0.0.1'],
  ['http://0177.0.0.1/', '127.0.0.1'],
  ['http://017700000001/', '127.0.0.1'],
  ['http://127.1/', '127.0.0.1'],
  ['http://127.0.1/', '127.0.0.1'],
  ['http://0x7f.1/', '127.0.0.1'],
  ['http://127.0.0.1./', '127.0.0.1'],
  ['http://１２７.0.0.1/', '127.0.0.1'],
  ['http://127。0。0。1/', '127.0.0.1'],
  ['http://%31%32%37.0.0.1/', '127.0.0.1'],
  ['http://0/', '0.0.0.0'],
  ['http://0.0.0.0/', '0.0.0.0'],
  ['http://[::1]/', '[::1]'],
  ['http://[0:0:0:0:0:0:0:1]/', '[::1]'],
  ['http://[::]/', '[::]'],
  ['http://[::ffff:127.0.0.1]/', '[::ffff:7f00:1]'],
  ['http://[::ffff:7f00:1]/', '[::ffff:7f00:1]'],
  ['http://[::127.0.0.1]/', '[::7f00:1]'],
  ['http://[64:ff9b::127.0.0.1]/', '[64:ff9b::7f00:1]'],
  ['http://[2002:7f00:1::]/', '[2002:7f00:1::]'],
  ['http://169.254.169.254/', '169.254.169.254'],
  ['http://2852039166/', '169.254.169.254'],
  ['http://0xA9FEA9FE/', '169.254.169.254'],
  ['http://[fd00:ec2::254]/', '[fd00:ec2::254]'],
] as const)('readTarget() reads %s as %s, which is not public', ([url, host], { expect }) => {
  const target = readTarget(url);
  expect(target).toEqual({ protocol: 'http:', host, port: 80 });
  expect(classifyAddress(host.replaceAll(/[[\]]/g, ''))).not.toBe('public');
});

test.for([
  ['https://allowed.test:x@evil.test/', 'the URL holds a user name or password'],
  ['https://@evil.test/', 'the URL holds a user name or password'],
  ['https://evil.test\\.allowed.test/', 'the URL holds white space, a control character or a backslash'],
  ['https://evil.test/\n', 'the URL holds white space, a control character or a backslash'],
  ['https:evil.test/', 'the scheme is not followed by exactly two slashes'],
  ['https:///evil.test/', 'the scheme is not followed by exactly two slashes'],
  ['file:///etc/passwd', 'the scheme is "file:", wanted is http or https'],
  ['ftp://a.test/', 'the scheme is "ftp:", wanted is http or https'],
  ['data:text/plain,x', 'the scheme is "data:", wanted is http or https'],
  ['//a.test/', 'it is not an absolute URL'],
  ['http://[fe80::1%25eth0]/', 'it is not an absolute URL'],
  ['http://a..b/', 'the host is not a valid name or address'],
  ['http://a.test:99999/', 'it is not an absolute URL'],
] as const)('readTarget() refuses %j', ([url, issue], { expect }) => {
  expect(issueOf(url)).toBe(issue);
});

test.for([
  ['https://evil.test?.allowed.test', 'evil.test', 443],
  ['https://evil.test#.allowed.test', 'evil.test', 443],
  ['https://ALLOWED.test.:8443/x', 'allowed.test', 8443],
  ['http://bücher.example/', 'xn--bcher-kva.example', 80],
] as const)('readTarget() reads the real host of %s', ([url, host, port], { expect }) => {
  expect(readTarget(url)).toMatchObject({ host, port });
});

test.for<[string, AddressClass]>([
  ['8.8.8.8', 'public'],
  ['2606:4700::1111', 'public'],
  ['127.8.9.1', 'loopback'],
  ['::1', 'loopback'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.32.0.1', 'public'],
  ['192.168.1.1', 'private'],
  ['fd12::1', 'private'],
  ['fec0::1', 'private'],
  ['100.64.0.1', 'shared'],
  ['100.128.0.1', 'public'],
  ['169.254.169.254', 'link-local'],
  ['fe80::1', 'link-local'],
  ['0.1.2.3', 'unspecified'],
  ['::', 'unspecified'],
  ['224.0.0.1', 'multicast'],
  ['ff02::1', 'multicast'],
  ['192.0.2.1', 'documentation'],
  ['2001:db8::1', 'documentation'],
  ['198.18.0.1', 'benchmarking'],
  ['255.255.255.255', 'reserved'],
  ['::ffff:8.8.8.8', 'embedded'],
  ['::8.8.8.8', 'embedded'],
  ['64:ff9b::8.8.8.8', 'embedded'],
  ['2002:808:808::1', 'embedded'],
  ['2001:0:1::1', 'embedded'],
  ['4000::1', 'reserved'],
  ['100::1', 'reserved'],
  ['fe80::1%eth0', 'invalid'],
  ['localhost', 'invalid'],
  ['', 'invalid'],
])('classifyAddress() %s: %s', ([address, wanted], { expect }) => {
  expect(classifyAddress(address)).toBe(wanted);
});

test('normalizeHost() brings every notation of an IPv4 address into one', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
      const whole = ((a * 256 + b) * 256 + c) * 256 + d;
      const spellings = [
        address,
        `${address}.`,
        String(whole),
        `0x${whole.toString(16)}`,
        `0${whole.toString(8)}`,
        `${a}.${(b * 256 + c) * 256 + d}`,
        `0x${a.toString(16)}.0${b.toString(8)}.${c * 256 + d}`,
        Array.from(address, (digit) => (digit === '.' ? '。' : String.fromCodePoint(digit.charCodeAt(0) + 0xfee0))).join(''),
      ];
      for (const spelling of spellings) expect(normalizeHost(spelling)).toBe(address);
    }),
  );
});

test('normalizeAddress() brings every notation of an IPv6 address into one', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const normal = normalizeAddress(address);
      expect(normal).toBeDefined();
      expect(normalizeAddress(address.toUpperCase())).toBe(normal);
      expect(normalizeHost(normal ?? '')).toBe(normal);
      expect(classifyAddress((normal ?? '').slice(1, -1))).toBe(classifyAddress(address));
    }),
  );
});

test('normalizeHost() and readTarget() never throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      normalizeHost(text);
      readTarget(`http://${text}`);
      coversHost('*.a.test', text);
    }),
  );
});
