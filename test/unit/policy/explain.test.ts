import { expect, test } from 'vitest';

import { explainRefusal } from '../../../src/policy/explain.ts';
import { callWith, policyFile } from './fixtures.ts';

const script = (...requests: string[]) => ({ plugin: { id: 'vault', runtimeKind: 'script' as const, requests } });

test('explainRefusal() blames the manifest for what the command does not inherit', () => {
  const call = callWith({ ...script('read:fs:$ROOT/a'), command: { name: 'c', requests: ['read:fs:$ROOT'] } });
  expect(explainRefusal(call, 'read:fs:$ROOT', 'denied')).toEqual({
    effect: 'deny',
    by: 'request',
    capability: 'read:fs:$ROOT',
    reason: 'the manifest of "vault" does not request read:fs:$ROOT for "c"',
    hint: 'The author of "vault" has to add it to the manifest',
  });
});

test('explainRefusal() names what nothing lifts', () => {
  const call = callWith(script('write:fs:$PLUGIN', 'read:fs:/home/me/.ssh'));
  expect(explainRefusal(call, 'write:fs:$PLUGIN', 'denied')).toMatchObject({
    by: 'policy',
    reason: 'write:fs:$PLUGIN cannot be given: a plugin cannot change its own files',
    hint: 'No grant lifts this',
  });
  expect(explainRefusal(call, 'read:fs:/home/me/.ssh', 'denied').reason).toContain('".ssh" is never read by plugins');
});

test('explainRefusal() tells a person’s no from the policy’s', () => {
  const call = callWith({ ...script('env:HOME', 'net:a.test:443'), denials: ['env:HOME'], policy: policyFile({ network: 'deny' }) });
  expect(explainRefusal(call, 'env:HOME', 'denied')).toMatchObject({
    by: 'grant',
    reason: 'a person refused env:HOME for this call',
    hint: 'Grant it with: plugbridge grant vault env:HOME',
  });
  expect(explainRefusal(call, 'net:a.test:443', 'denied')).toMatchObject({
    by: 'policy',
    reason: 'the policy does not allow net:a.test:443: network is "deny" in "p.toml"',
    hint: 'Only the policy can change this; a grant cannot',
  });
});

test('explainRefusal() says what holds a part of a capability back', () => {
  const policy = policyFile({ file_write: 'allow' }, { rules: [{ path: '$ROOT/secret', effect: 'deny' }] });
  expect(explainRefusal(callWith({ ...script('write:fs:$ROOT'), policy }), 'write:fs:$ROOT', 'partial')).toMatchObject({
    by: 'policy',
    reason: 'the policy does not allow write:fs:$ROOT: a rule takes a part of it away, and it is given whole or not at all',
  });
});

test.for([
  ['write:fs:$ROOT', ': without a policy file file_write means require_approval', 'file_write'],
  ['exec:git', ': without a policy file shell_commands means require_approval', 'exec:git'],
  ['env:API_KEY', ': env always requires approval', 'env:API_KEY'],
  ['net:*.a.test:*', ': without a policy file network means require_approval', "'net:*.a.test:*'"],
  ['session:write', ': session:write always requires approval', 'session:write'],
] as const)('explainRefusal() says that a person has yet to grant %s', ([capability, why, word]) => {
  expect(explainRefusal(callWith(script(capability)), capability, 'asks')).toMatchObject({
    by: 'grant',
    reason: `${capability} is not granted${why}`,
    hint: `Grant it with: plugbridge grant vault ${word}`,
  });
});

test('explainRefusal() explains running, which no manifest requests', () => {
  const policy = policyFile({ script_execution: 'require_approval' });
  expect(explainRefusal(callWith({ ...script(), policy }), 'run:script', 'asks')).toMatchObject({
    by: 'grant',
    reason: 'run:script is not granted: script_execution is "require_approval" in "p.toml"',
    hint: 'Grant it with: plugbridge grant vault script_execution',
  });
});

test('explainRefusal() gives no reason of the policy where the address is what needs a word', () => {
  const call = callWith({ ...script('net:127.0.0.1:80'), policy: policyFile({ network: 'allow' }) });
  expect(explainRefusal(call, 'net:127.0.0.1:80', 'asks').reason).toBe('net:127.0.0.1:80 is not granted');
});
