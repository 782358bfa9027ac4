import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { CallPermissions } from '../../../src/policy/call-permissions.ts';
import { decide } from '../../../src/policy/decide.ts';
import { DEFAULT_POLICY, type Effect, type PolicyKey } from '../../../src/policy/policy.ts';
import type { Query } from '../../../src/policy/query.ts';
import { callWith, policyFile, workspaceLayer } from './fixtures.ts';

const READ: Query = { kind: 'read:fs', path: '/work/proj/a.md' };
const WRITE: Query = { kind: 'write:fs', path: '/work/proj/docs/a.md' };
const NET: Query = { kind: 'net', host: 'api.test', port: 443 };
const EXEC: Query = { kind: 'exec', program: 'git', args: ['status'] };
const RUN: Query = { kind: 'run', runtime: 'wasm' };

const effectOf = (changes: Partial<CallPermissions>, query: Query): string => decide(callWith(changes), query).effect;

/** Every key: allow, deny, require_approval, absent from a file, no file. */
const KEYS: readonly [PolicyKey, Query, absent: string, withoutFile: string][] = [
  ['file_read', READ, 'allow', 'allow'],
  ['file_write', WRITE, 'ask', 'ask'],
  ['network', NET, 'deny', 'ask'],
  ['shell_commands', EXEC, 'ask', 'ask'],
  ['wasm_execution', RUN, 'deny', 'allow'],
];
test.for(KEYS)('decide() obeys the key %s', ([key, query, absent, withoutFile], { expect }) => {
  const withKey = (effect: Effect): string => effectOf({ policy: policyFile({ [key]: effect }) }, query);
  expect(withKey('allow')).toBe('allow');
  expect(withKey('deny')).toBe('deny');
  expect(withKey('require_approval')).toBe('ask');
  expect(effectOf({ policy: policyFile({}) }, query)).toBe(absent);
  expect(effectOf({}, query)).toBe(withoutFile);
});

test('decide() denies a host the manifest does not declare', () => {
  const call = callWith({ plugin: { id: 'web', runtimeKind: 'wasm', requests: ['net:api.test:443'] }, grants: ['net:*'] });
  expect(decide(call, { kind: 'net', host: 'evil.test', port: 443 })).toEqual({
    effect: 'deny',
    by: 'request',
    capability: 'net:evil.test:443',
    reason: 'the manifest of "web" does not request net:evil.test:443 for "capture"',
    hint: 'The author of "web" has to add it to the manifest',
  });
  expect(decide(call, NET)).toEqual({ effect: 'allow', source: 'grant' });
});

test('decide() asks with the command that grants it', () => {
  expect(decide(callWith(), WRITE)).toEqual({
    effect: 'ask',
    capability: 'write:fs:$ROOT',
    reason: 'without a policy file file_write means require_approval',
    hint: 'Grant it with: plugbridge grant vault file_write',
  });
});

test('decide() quotes for the shell what a grant has to name', () => {
  const plugin = { id: 'vault', runtimeKind: 'wasm' as const, requests: ['write:fs:$ROOT/docs'] };
  expect(decide(callWith({ plugin }), WRITE)).toMatchObject({ hint: `Grant it with: plugbridge grant vault 'write:fs:$ROOT/docs'` });
});

test('decide() takes grants and approvals, and lets no grant lift a deny', () => {
  expect(decide(callWith({ grants: ['write:fs:$ROOT'] }), WRITE)).toEqual({ effect: 'allow', source: 'grant' });
  expect(decide(callWith({ approvals: ['write:fs:$ROOT/docs'] }), WRITE)).toEqual({ effect: 'allow', source: 'approval' });
  expect(effectOf({ grants: ['write:fs:$ROOT/other', 'rubbish', 'write:fs:$RUN'] }, WRITE)).toBe('ask');
  expect(decide(callWith({ grants: ['write:fs:$ROOT'], policy: policyFile({ file_write: 'deny' }) }), WRITE)).toEqual({
    effect: 'deny',
    by: 'policy',
    capability: 'write:fs:$ROOT/docs/a.md',
    reason: 'file_write is "deny" in "p.toml"',
    hint: 'Only the policy can change this; a grant cannot',
  });
});

test('decide() refuses for the call what a person refused', () => {
  expect(decide(callWith({ denials: ['write:fs:$ROOT'], grants: ['write:fs:$ROOT'] }), WRITE)).toMatchObject({
    effect: 'deny',
    by: 'grant',
    reason: 'a person refused it for this call',
  });
});

test('decide() narrows to the requests of the command, never beyond the plugin’s', () => {
  const plugin = { id: 'vault', runtimeKind: 'wasm' as const, requests: ['read:fs:$ROOT/docs'] };
  const command = { name: 'query', requests: ['read:fs:$ROOT/docs/wiki', 'read:fs:$ROOT'] };
  const read = (path: string): string => effectOf({ plugin, command }, { kind: 'read:fs', path });
  expect(read('/work/proj/docs/wiki/a')).toBe('allow');
  expect(read('/work/proj/docs/a')).toBe('deny');
  expect(read('/work/proj/a')).toBe('deny');
});

test('decide() lets a workspace tighten and never loosen', () => {
  const tightening = [workspaceLayer({ file_read: 'deny', file_write: 'allow' })];
  const policy = { ...DEFAULT_POLICY, tightening };
  expect(decide(callWith({ policy }), READ)).toMatchObject({ effect: 'deny', reason: 'file_read is "deny" in "w.toml"' });
  expect(effectOf({ policy }, WRITE)).toBe('ask');
  expect(effectOf({ policy }, RUN)).toBe('allow');
});

test('decide() holds a layer to the plugins of its directory', () => {
  const layer = { ...workspaceLayer({ file_read: 'deny' }), pluginsIn: '/home/me/plug' };
  expect(effectOf({ policy: { ...DEFAULT_POLICY, tightening: [layer] } }, READ)).toBe('allow');
  expect(effectOf({ policy: { ...DEFAULT_POLICY, tightening: [{ ...layer, pluginsIn: '/home/me/plugins' }] } }, READ)).toBe('deny');
});

test('decide() takes the first rule that matches, before the keys', () => {
  const policy = policyFile(
    { file_write: 'deny', network: 'allow' },
    {
      rules: [
        {
          plugin: 'va*',
          command: 'capture',
          capability: 'write:fs',
          path: '$ROOT/docs/private',
          effect: 'deny',
          reason: 'private is private',
        },
        { plugin: 'vault', path: '$ROOT/docs', effect: 'allow' },
        { host: '*.evil.test', effect: 'deny' },
        { capability: 'exec:git', effect: 'allow' },
        { capability: 'network', host: '93.184.*', effect: 'deny' },
      ],
    },
  );
  expect(effectOf({ policy }, WRITE)).toBe('allow');
  expect(effectOf({ policy }, { kind: 'write:fs', path: '/work/proj/b' })).toBe('deny');
  expect(decide(callWith({ policy }), { kind: 'write:fs', path: '/work/proj/docs/private/x' })).toMatchObject({
    reason: 'private is private',
  });
  expect(decide(callWith({ policy }), { kind: 'net', host: 'a.evil.test', port: 80 })).toMatchObject({
    reason: 'rule 3 of "p.toml" says deny',
  });
  expect(effectOf({ policy }, NET)).toBe('allow');
  expect(effectOf({ policy }, { kind: 'net-address', host: 'api.test', port: 443, address: '93.184.1.1' })).toBe('deny');
  expect(effectOf({ policy }, EXEC)).toBe('allow');
  expect(effectOf({ policy, command: { name: 'today' } }, { kind: 'write:fs', path: '/work/proj/docs/private/x' })).toBe('allow');
});

test.for(['/work/proj/.env', '/work/proj/.ssh/id_rsa', '/work/proj/.aws/credentials', '/work/proj/.agentzero/policy.yml'])(
  'decide() lets nothing lift the refusal of %s',
  (path, { expect }) => {
    const everything = { grants: ['read:fs:/', 'write:fs:/'], policy: policyFile({ file_read: 'allow', file_write: 'allow' }) };
    for (const kind of ['read:fs', 'write:fs'] as const) {
      expect(decide(callWith(everything), { kind, path })).toMatchObject({ effect: 'deny', by: 'policy', hint: 'No grant lifts this' });
    }
  },
);

test.for<[Query, string]>([
  [{ kind: 'read:fs', path: '/home/me/plugins/vault/x' }, 'allow'],
  [{ kind: 'write:fs', path: '/home/me/plugins/vault/x' }, 'deny'],
  [{ kind: 'write:fs', path: '/home/me/.local/share/plugbridge/vault/x' }, 'allow'],
  [{ kind: 'write:fs', path: '/tmp/run1/x' }, 'allow'],
  [{ kind: 'read:fs', path: '/home/me/.config/plugbridge/policy.toml' }, 'deny'],
  [{ kind: 'read:fs', path: '/work/proj2/a' }, 'deny'],
  [{ kind: 'read:fs', path: '/work/proj/../../etc/passwd' }, 'deny'],
  [{ kind: 'read:fs', path: '/work/proj/a\0' }, 'deny'],
  [{ kind: 'net', host: 'a b', port: 80 }, 'deny'],
  [{ kind: 'net', host: 'a.test', port: 0 }, 'deny'],
  [{ kind: 'exec', program: '../git', args: [] }, 'deny'],
  [{ kind: 'exec', program: 'rg', args: ['x'] }, 'deny'],
  [{ kind: 'exec', program: 'git', args: ['-c', 'alias.x=!id', 'x'] }, 'deny'],
  [{ kind: 'env', name: 'HOME' }, 'ask'],
  [{ kind: 'env', name: 'TOKEN' }, 'deny'],
  [{ kind: 'storage:read' }, 'allow'],
  [{ kind: 'storage:write' }, 'deny'],
  [{ kind: 'session:write' }, 'deny'],
])('decide() by default: %j → %s', ([query, wanted], { expect }) => {
  expect(effectOf({}, query)).toBe(wanted);
});

test('decide() hands back the arguments to run a command with', () => {
  expect(decide(callWith({ grants: ['exec:git'] }), EXEC)).toMatchObject({
    effect: 'allow',
    source: 'grant',
    argv: expect.arrayContaining(['git', 'status']),
  });
});

const OPEN = policyFile({ network: 'allow' });
test.for<[requests: string[], grants: string[], Query, string]>([
  [['net:*'], [], { kind: 'net', host: '93.184.1.1', port: 80 }, 'allow'],
  [['net:*'], ['net:*'], { kind: 'net', host: '127.0.0.1', port: 80 }, 'deny'],
  [['net:*'], ['net:127.0.0.1:80'], { kind: 'net', host: '127.0.0.1', port: 80 }, 'allow'],
  [['net:*'], ['net:127.0.0.1:81'], { kind: 'net', host: '127.0.0.1', port: 80 }, 'deny'],
  [['net:127.0.0.1:*'], [], { kind: 'net', host: '2130706433', port: 80 }, 'ask'],
  [['net:127.0.0.1:*'], ['net:127.0.0.1:*'], { kind: 'net', host: '0x7f.1', port: 80 }, 'allow'],
  [['net:[::1]:80'], ['net:[::1]:80'], { kind: 'net', host: '[0::1]', port: 80 }, 'allow'],
  [['net:*'], ['net:[::ffff:127.0.0.1]:80'], { kind: 'net', host: '[::ffff:127.0.0.1]', port: 80 }, 'deny'],
  [['net:*'], ['net:0.0.0.0:80'], { kind: 'net', host: '0', port: 80 }, 'deny'],
  [['net:api.test:*'], ['net:api.test:*'], { kind: 'net-address', host: 'api.test', port: 80, address: '93.184.1.1' }, 'allow'],
  [['net:api.test:*'], ['net:api.test:*'], { kind: 'net-address', host: 'api.test', port: 80, address: '127.0.0.1' }, 'deny'],
  [['net:api.test:*'], ['net:api.test:*'], { kind: 'net-address', host: 'api.test', port: 80, address: '169.254.169.254' }, 'deny'],
  [['net:api.test:*'], ['net:127.0.0.1:80'], { kind: 'net-address', host: 'api.test', port: 80, address: '127.0.0.1' }, 'allow'],
  [['net:api.test:*'], ['net:127.0.0.1:80'], { kind: 'net-address', host: 'evil.test', port: 80, address: '127.0.0.1' }, 'deny'],
  [['net:api.test:*'], [], { kind: 'net-address', host: 'api.test', port: 80, address: 'fe80::1%eth0' }, 'deny'],
  [['net:localhost:*'], [], { kind: 'net-address', host: 'localhost', port: 80, address: '::1' }, 'ask'],
  [['net:localhost:*'], ['net:localhost:80'], { kind: 'net-address', host: 'localhost', port: 80, address: '::1' }, 'allow'],
  [['net:localhost:*'], ['net:localhost:80'], { kind: 'net-address', host: 'localhost', port: 80, address: '10.0.0.1' }, 'deny'],
  [['net:nas.local:*'], ['net:nas.local:*'], { kind: 'net-address', host: 'nas.local', port: 80, address: '192.168.1.9' }, 'allow'],
  [['net:nas.local:*'], ['net:nas.local:*'], { kind: 'net-address', host: 'nas.local', port: 80, address: '169.254.169.254' }, 'deny'],
])('decide() requests %j, grants %j, %j: %s', ([requests, grants, query, wanted], { expect }) => {
  expect(effectOf({ plugin: { id: 'web', runtimeKind: 'wasm', requests }, grants, policy: OPEN }, query)).toBe(wanted);
});

test('decide() says which grant opens an address', () => {
  const call = callWith({ policy: OPEN });
  expect(decide(call, { kind: 'net-address', host: 'api.test', port: 80, address: '10.0.0.7' })).toEqual({
    effect: 'deny',
    by: 'grant',
    capability: 'net:10.0.0.7:80',
    reason: '"api.test" means 10.0.0.7, a private address, which only a grant that names it opens',
    hint: 'Grant it with: plugbridge grant vault net:10.0.0.7:80',
  });
});

test('decide() keeps bodies with secrets in, naming kinds and never the text', () => {
  const secret = `ghp_${'a1'.repeat(18)}`;
  const verdict = decide(callWith({ policy: OPEN }), { kind: 'net-body', host: 'api.test', body: `{"x":"${secret}"}` });
  expect(verdict).toMatchObject({
    effect: 'deny',
    by: 'policy',
    reason: 'the request body holds what must not leave this machine: GitHub token',
  });
  expect(JSON.stringify(verdict)).not.toContain(secret);
  expect(effectOf({ policy: OPEN }, { kind: 'net-body', host: 'api.test', body: '{"text":"task-list"}' })).toBe('allow');
});

test('decide() never allows a path outside root, data, run and plugin, whatever its spelling', () => {
  const call = callWith({ grants: ['read:fs:$ROOT', 'write:fs:$ROOT'], policy: policyFile({ file_read: 'allow', file_write: 'allow' }) });
  const inside = ['/work/proj', '/home/me/plugins/vault', '/home/me/.local/share/plugbridge/vault', '/tmp/run1'];
  const part = fc.constantFrom('work', 'proj', 'proj2', '..', '.', '', 'home', 'me', 'plugins', 'vault', 'tmp', 'run1', 'a', '.env', 'x\0');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 7 }), fc.constantFrom('read:fs' as const, 'write:fs' as const), (parts, kind) => {
      const path = `/${parts.join('/')}`;
      if (decide(call, { kind, path }).effect !== 'allow') return;
      const tidy = path.replaceAll(/\/+/g, '/');
      expect(inside.some((directory) => `${tidy}/`.startsWith(`${directory}/`))).toBe(true);
      expect(tidy).not.toMatch(/\/\.\.?(\/|$)|\0/);
    }),
    { numRuns: 3000 },
  );
});
