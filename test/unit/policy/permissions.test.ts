import { expect, test } from 'vitest';

import { permissionsOf } from '../../../src/policy/permissions.ts';
import { expandGrant } from '../../../src/policy/shorthand.ts';
import { callWith, policyFile } from './fixtures.ts';

const OWN = ['read:fs:$PLUGIN', 'read:fs:$DATA', 'write:fs:$DATA', 'read:fs:$RUN', 'write:fs:$RUN'];

test('permissionsOf() gathers everything to ask for at once', () => {
  expect(permissionsOf(callWith())).toEqual({
    allowed: [...OWN, 'read:fs:$ROOT', 'storage:read'],
    partial: [],
    asks: ['write:fs:$ROOT', 'net:*', 'exec:git', 'env:HOME'],
    denied: [],
  });
});

test('permissionsOf() moves what is granted, approved, refused or denied', () => {
  const call = callWith({
    grants: ['write:fs:$ROOT', 'env:HOME'],
    approvals: ['exec:git'],
    denials: ['net:*'],
    policy: policyFile({ network: 'allow' }),
  });
  expect(permissionsOf(call)).toEqual({
    allowed: [...OWN, 'read:fs:$ROOT', 'write:fs:$ROOT', 'exec:git', 'env:HOME', 'storage:read'],
    partial: [],
    asks: [],
    denied: ['run:wasm', 'net:*'],
  });
});

test('permissionsOf() asks for running too, where the policy wants it', () => {
  const policy = policyFile({ wasm_execution: 'require_approval' });
  expect(permissionsOf(callWith({ policy })).asks).toContain('run:wasm');
  expect(permissionsOf(callWith({ policy, grants: ['run:wasm'] })).asks).not.toContain('run:wasm');
});

test('permissionsOf() keeps what a rule takes away in part out of what is allowed whole', () => {
  const policy = policyFile({ file_write: 'allow' }, { rules: [{ path: '$ROOT/secret', effect: 'deny' }] });
  const permissions = permissionsOf(callWith({ policy }));
  expect(permissions.partial).toEqual(['read:fs:$ROOT', 'write:fs:$ROOT']);
  expect(permissions.allowed).toEqual([...OWN, 'storage:read']);
});

test('permissionsOf() asks for an address that is not public, even where the network is allowed', () => {
  const plugin = { id: 'web', runtimeKind: 'wasm' as const, requests: ['net:127.0.0.1:80', 'net:localhost:80', 'net:a.test:80', 'net:[]'] };
  const policy = policyFile({ network: 'allow' });
  expect(permissionsOf(callWith({ plugin, policy })).asks).toEqual(['net:127.0.0.1:80', 'net:localhost:80']);
});

test('permissionsOf() denies requests for what nothing lifts and for more than the plugin asks', () => {
  const plugin = { id: 'x', runtimeKind: 'wasm' as const, requests: ['read:fs:/home/me/.ssh', 'write:fs:$PLUGIN', 'read:fs:$ROOT/a'] };
  expect(permissionsOf(callWith({ plugin })).denied).toEqual(['read:fs:/home/me/.ssh', 'write:fs:$PLUGIN']);
  expect(permissionsOf(callWith({ plugin, command: { name: 'c', requests: ['read:fs:$ROOT'] } })).denied).toEqual(['read:fs:$ROOT']);
});

test.for<[string, string[]]>([
  ['file_read', ['read:fs:$ROOT']],
  ['file_write', ['write:fs:$ROOT']],
  ['network', ['net:a.test:*', 'net:*.a.test:*']],
  ['shell', ['exec:git', 'exec:rg']],
  ['shell_commands', ['exec:git', 'exec:rg']],
  ['wasm_execution', ['run:wasm']],
  ['net:127.1:8080', ['net:127.0.0.1:8080']],
  ['write:fs:$ROOT/docs/', ['write:fs:$ROOT/docs']],
])('expandGrant() %s: %j', ([word, wanted], { expect }) => {
  const plugin = { runtimeKind: 'wasm' as const, requests: ['net:A.test:*', 'net:*.a.test:*', 'net:[]', 'exec:git', 'exec:rg'] };
  expect(expandGrant(word, plugin)).toEqual(wanted);
});

test('expandGrant() refuses a key that stands for nothing, and words it does not know', () => {
  const plugin = { runtimeKind: 'wasm' as const, requests: [] };
  expect(() => expandGrant('network', plugin)).toThrow(
    'Cannot use the capability "network": the plugin requests nothing that it stands for',
  );
  expect(() => expandGrant('lua_execution', plugin)).toThrow('the plugin requests nothing that it stands for');
  expect(() => expandGrant('everything', plugin)).toThrow('Cannot use the capability "everything": wanted is one of read:fs:<path>');
});
