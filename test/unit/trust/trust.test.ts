import { chmodSync, existsSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { createGrantStore } from '../../../src/trust/grants.ts';
import { createTrustStore } from '../../../src/trust/trust.ts';
import { useTmp } from '../../helpers/tmp.ts';

const VAULT = { plugin: 'vault', digest: 'sha256:a' };
const now = (): Date => new Date('2026-01-02T03:04:05Z');

test('grantsFor() gives what was granted to this digest, and names what an earlier one had', () => {
  const store = createGrantStore({ stateDirectory: useTmp(), now });
  expect(store.grantsFor(VAULT)).toEqual({ capabilities: [], earlier: [] });
  store.addGrant(VAULT, ['write:fs:$ROOT']);
  expect(store.addGrant(VAULT, ['exec:git', 'write:fs:$ROOT'])).toEqual({
    ...VAULT,
    capabilities: ['write:fs:$ROOT', 'exec:git'],
    grantedAt: '2026-01-02T03:04:05.000Z',
  });
  expect(store.grantsFor(VAULT)).toEqual({ capabilities: ['write:fs:$ROOT', 'exec:git'], earlier: [] });
  expect(store.grantsFor({ ...VAULT, digest: 'sha256:b' })).toEqual({ capabilities: [], earlier: ['write:fs:$ROOT', 'exec:git'] });
  expect(store.grantsFor({ plugin: 'other', digest: 'sha256:a' })).toEqual({ capabilities: [], earlier: [] });
});

test('removeGrant() takes some or all from every content of a plugin', () => {
  const store = createGrantStore({ stateDirectory: useTmp(), now });
  store.addGrant(VAULT, ['a:x', 'b:x']);
  store.addGrant({ ...VAULT, digest: 'sha256:b' }, ['b:x']);
  store.addGrant({ plugin: 'web', digest: 'sha256:a' }, ['b:x']);
  expect(store.removeGrant('vault', ['b:x', 'c:x'])).toEqual(['b:x']);
  expect(store.readGrants().map((grant) => [grant.plugin, grant.capabilities])).toEqual([
    ['vault', ['a:x']],
    ['web', ['b:x']],
  ]);
  expect(store.removeGrant('vault')).toEqual(['a:x']);
  expect(store.removeGrant('vault')).toEqual([]);
});

test('addGrant() writes a file that only its owner can read, and leaves nothing beside it', () => {
  const stateDirectory = join(useTmp(), 'state');
  createGrantStore({ stateDirectory, now }).addGrant(VAULT, ['exec:git']);
  expect(readdirSync(stateDirectory)).toEqual(['grants.json']);
  expect(statSync(join(stateDirectory, 'grants.json')).mode & 0o777).toBe(0o600);
  expect(statSync(stateDirectory).mode & 0o777).toBe(0o700);
});

test('version() grows when another process changed the file, and only then', () => {
  const stateDirectory = useTmp();
  const [one, other] = [createGrantStore({ stateDirectory, now }), createGrantStore({ stateDirectory, now })];
  const before = one.version();
  expect(one.version()).toBe(before);
  other.addGrant(VAULT, ['exec:git']);
  expect(one.version()).toBe(before + 1);
  expect(one.grantsFor(VAULT).capabilities).toEqual(['exec:git']);
});

test.for<[string, (file: string) => void, string]>([
  ['is no JSON', (file) => writeFileSync(file, '{'), 'it is not valid JSON'],
  ['has another form', (file) => writeFileSync(file, '{"version":2,"grants":[]}'), 'version: Invalid input: expected 1'],
  [
    'holds control characters',
    (file) =>
      writeFileSync(file, JSON.stringify({ version: 1, grants: [{ ...VAULT, capabilities: ['a\nb'], grantedAt: now().toISOString() }] })),
    'wanted is text without control characters',
  ],
  [
    'others may write',
    (file) => {
      writeFileSync(file, '{"version":1,"grants":[]}');
      chmodSync(file, 0o666);
    },
    'others may write it; its mode must be 0600',
  ],
  ['is a link', (file) => symlinkSync('/dev/null', file), 'ELOOP'],
])('grantsFor() throws for a file that %s', ([, spoil, reason], { expect }) => {
  const stateDirectory = useTmp();
  spoil(join(stateDirectory, 'grants.json'));
  const store = createGrantStore({ stateDirectory, now });
  expect(() => store.grantsFor(VAULT)).toThrow(
    expect.objectContaining({ code: 'TRUST_GRANTS_INVALID', message: expect.stringContaining(reason) }),
  );
  expect(() => store.addGrant(VAULT, ['exec:git'])).toThrow(expect.objectContaining({ code: 'TRUST_GRANTS_INVALID' }));
});

test('addGrant() takes over the lock of a process that died, and of one that hangs', () => {
  const stateDirectory = useTmp();
  const lock = join(stateDirectory, 'grants.json.lock');
  writeFileSync(lock, '999999999 gone');
  createGrantStore({ stateDirectory, now }).addGrant(VAULT, ['exec:git']);
  expect(existsSync(lock)).toBe(false);
});

test('addGrant() gives up on a lock that is held', () => {
  const stateDirectory = useTmp();
  writeFileSync(join(stateDirectory, 'grants.json.lock'), `${process.pid} held`);
  const store = createGrantStore({ stateDirectory, now });
  expect(() => store.addGrant(VAULT, ['exec:git'])).toThrow(expect.objectContaining({ code: 'TRUST_STORE_BUSY' }));
  expect(readFileSync(join(stateDirectory, 'grants.json.lock'), 'utf8')).toBe(`${process.pid} held`);
});

const PLACE = { plugin: 'vault', directory: '/work/proj/.agentzero/plugins/vault', digest: 'sha256:a' };

test.for(['flag', 'config', 'user', 'installed'] as const)('isTrusted() trusts the origin %s', (origin, { expect }) => {
  expect(createTrustStore({ stateDirectory: useTmp(), now }).isTrusted({ origin, ...PLACE })).toEqual({ trusted: true });
});

test('isTrusted() trusts what a workspace brings only as it was when a person trusted it', () => {
  const store = createTrustStore({ stateDirectory: useTmp(), now });
  const question = { origin: 'workspace', ...PLACE } as const;
  expect(store.isTrusted(question)).toEqual({
    trusted: false,
    changed: false,
    reason: `It came with the workspace; look at "${PLACE.directory}", then run: plugbridge trust vault`,
  });
  store.addTrust(PLACE.directory, PLACE.digest);
  expect(store.isTrusted(question)).toEqual({ trusted: true });
  expect(store.isTrusted({ ...question, directory: `${PLACE.directory}2` })).toMatchObject({ trusted: false, changed: false });
  expect(store.isTrusted({ ...question, digest: 'sha256:b' })).toEqual({
    trusted: false,
    changed: true,
    reason: `Its files changed since it was trusted; look at "${PLACE.directory}", then run: plugbridge trust vault`,
  });
  store.addTrust(PLACE.directory, 'sha256:b');
  expect(store.isTrusted(question)).toMatchObject({ changed: true });
  expect(store.removeTrust(PLACE.directory)).toBe(true);
  expect(store.removeTrust(PLACE.directory)).toBe(false);
  expect(store.readTrust()).toEqual([]);
});

test('isTrusted() throws for a store that cannot be used', () => {
  const stateDirectory = useTmp();
  writeFileSync(join(stateDirectory, 'trust.json'), '[]');
  const store = createTrustStore({ stateDirectory, now });
  expect(() => store.isTrusted({ origin: 'workspace', ...PLACE })).toThrow(expect.objectContaining({ code: 'TRUST_STORE_INVALID' }));
});
