import { expect, test } from 'vitest';

import { createRegistryPermit, isSameRegistry, readRegistry } from '../../../../../src/executors/script/dependencies/registry.ts';
import type { CapabilityUse } from '../../../../../src/executors/executor.ts';
import { classifyAddress } from '../../../../../src/policy/addresses.ts';

function permitFor(url: string, { isConfigured = false } = {}) {
  const read = readRegistry(url, { furtherHosts: { 'pypi.org': ['files.pythonhosted.org'] }, isConfigured });
  if (!read.ok) throw new Error(read.reason);
  const refused: string[] = [];
  const permit = createRegistryPermit({
    registry: read.registry,
    reachOf: (at) => {
      const kind = classifyAddress(at);
      return kind === 'public' ? 'public' : kind === 'private' ? 'inside' : 'closed';
    },
    onRefused: ({ capability }) => void refused.push(capability),
  });
  return { allows: (use: CapabilityUse): boolean => permit(use).allowed, permit, refused };
}
const PLAIN = { furtherHosts: {}, isConfigured: false };
const net = (host: string, port: number): CapabilityUse => ({ kind: 'net', host, port });
const address = (host: string, port: number, at: string): CapabilityUse => ({ kind: 'net-address', host, port, address: at });

test('createRegistryPermit() opens the registry, the host of its files, and nothing else', () => {
  const { allows, permit, refused } = permitFor('https://pypi.org/simple/');
  expect([net('pypi.org', 443), net('files.pythonhosted.org', 443)].map(allows)).toEqual([true, true]);
  const others = [
    net('pypi.org', 80),
    net('evil.pypi.org', 443),
    net('pypi.org.evil.example', 443),
    net('files.pythonhosted.org', 80),
    net('10.0.0.1', 443),
  ];
  expect(others.map(allows)).toEqual(others.map(() => false));
  expect(refused).toContain('net:evil.pypi.org:443');
  expect(permit(net('evil.example', 443))).toEqual({
    allowed: false,
    capability: 'net:evil.example:443',
    by: 'sandbox',
    reason:
      'evil.example:443 is not the registry: only pypi.org:443, files.pythonhosted.org:443 can be reached while packages are installed',
  });
  expect(allows({ kind: 'read:fs', path: '/etc/passwd' })).toBe(false);
  expect(allows({ kind: 'net-body', host: 'evil.example', body: 'x' })).toBe(false);
});

test('createRegistryPermit() opens addresses that are not public only where the registry is named by one', () => {
  const named = permitFor('https://npm.example/');
  expect(
    [address('npm.example', 443, '93.184.216.34'), address('npm.example', 443, '127.0.0.1'), address('npm.example', 443, '10.0.0.5')].map(
      named.allows,
    ),
  ).toEqual([true, false, false]);
  const local = permitFor('http://localhost:4873/');
  expect(
    [address('localhost', 4873, '127.0.0.1'), address('localhost', 4873, '::1'), address('localhost', 4873, '10.0.0.5')].map(local.allows),
  ).toEqual([true, true, false]);
  const literal = permitFor('http://10.0.0.5:4873/npm/');
  expect([address('10.0.0.5', 4873, '10.0.0.5'), address('10.0.0.5', 4873, '127.0.0.1')].map(literal.allows)).toEqual([true, false]);
  const six = permitFor('http://[::1]:4873/');
  expect([net('[::1]', 4873), address('[::1]', 4873, '::1'), address('[::1]', 4873, '::2')].map(six.allows)).toEqual([true, true, false]);
});

test('createRegistryPermit() follows a registry that a person named into their own network, and no further', () => {
  const named = permitFor('https://npm.example/', { isConfigured: true });
  const at = (where: string) => named.allows(address('npm.example', 443, where));
  expect(['93.184.216.34', '10.0.0.5', '127.0.0.1', '169.254.169.254', '::1'].map(at)).toEqual([true, true, false, false, false]);
});

test('readRegistry() ends the URL in a slash', () => {
  expect(readRegistry('http://10.0.0.5/npm', PLAIN)).toMatchObject({ ok: true, registry: { url: 'http://10.0.0.5/npm/', isLocal: true } });
});

test('readRegistry() refuses other schemes, and credentials without repeating them', () => {
  expect(readRegistry('file:///srv/npm', PLAIN)).toMatchObject({ ok: false });
  const read = readRegistry('https://me:hunter2@npm.example/', PLAIN);
  expect(read).toMatchObject({ ok: false, reason: expect.stringContaining('user or password') });
  expect(JSON.stringify(read)).not.toContain('hunter2');
});

test('isSameRegistry() takes the registry itself and the public one in whose place it stands', () => {
  const read = readRegistry('https://gems.example/', PLAIN);
  if (!read.ok) throw new Error(read.reason);
  const isSame = (named: string): boolean => isSameRegistry(named, read.registry, 'https://rubygems.org/');
  expect([isSame('https://rubygems.org'), isSame('https://gems.example'), isSame('https://evil.example/')]).toEqual([true, true, false]);
});
