import { describe, expect, test } from 'vitest';

import type { Plugin } from '../../../src/manifest/plugin.ts';
import type { EffectivePolicy, Rule } from '../../../src/policy/policy.ts';
import { aCommand } from '../catalog/fixtures.ts';
import { okText, policyOf, useDispatch } from './fixtures.ts';

const script = (...requests: string[]): Partial<Plugin> => ({
  runtime: { kind: 'script', language: 'python', main: 'main.py', input: 'stdin', variables: {}, dependencies: [] },
  requests,
});
const withRules = (policy: EffectivePolicy, ...rules: Rule[]): EffectivePolicy => ({ ...policy, base: { ...policy.base, rules } });
const ALLOW_ALL = policyOf({
  script_execution: 'allow',
  file_read: 'allow',
  file_write: 'allow',
  network: 'allow',
  shell_commands: 'allow',
});
const RAN = { exit: 'exit 0' };
const done = () => okText('done');

describe('createDispatch().call() of a plugin whose permissions are decided ahead', () => {
  test('runs it when all that it requests is allowed, which counts as used', async () => {
    const plugin = script('read:fs:$ROOT', 'write:fs:$ROOT/out', 'net:api.test:443');
    const { finish, state, outcomes, intents } = useDispatch(done, { plugin, policy: ALLOW_ALL, usage: RAN });
    expect((await finish({ canAsk: false })).kind).toBe('ok');
    expect(state.executions[0]?.permissions).toEqual(expect.arrayContaining(['read:fs:$ROOT', 'write:fs:$ROOT/out', 'net:api.test:443']));
    expect(outcomes()[0]?.used).toEqual(['read:fs:$ROOT', 'write:fs:$ROOT/out']);
    expect(intents()[0]?.decision).toEqual({ effect: 'allow', source: 'policy' });
  });

  test('counts nothing as used of a call for which no process ran', async () => {
    const { finish, outcomes } = useDispatch(() => ({ kind: 'failed', code: 'EXECUTION_NOT_ISOLATED', message: 'no sandbox' }), {
      plugin: script('read:fs:$ROOT'),
      policy: ALLOW_ALL,
    });
    await finish();
    expect(outcomes()[0]?.used).toEqual([]);
  });

  test('asks for all of it at once, before it takes a place among the running calls', async () => {
    const plugin = script('read:fs:$ROOT', 'write:fs:$ROOT', 'env:API_KEY', 'net:api.test:443');
    const { ask, finish, answerWith, state, outcomes, intents } = useDispatch(done, { plugin, environment: { API_KEY: 'k-123456' } });
    const request = await ask();
    expect(request.capabilities).toEqual(['write:fs:$ROOT', 'env:API_KEY', 'net:api.test:443']);
    expect(state.executions).toEqual([]);
    expect(intents()[0]?.decision).toMatchObject({ effect: 'require_approval' });
    expect(outcomes()[0]).toMatchObject({ error: 'DISPATCH_APPROVAL_ASKED', tier: 'none', used: [] });
    expect((await finish(answerWith(request, 'once'))).kind).toBe('ok');
    expect(state.executions[0]?.permissions).toEqual(expect.arrayContaining([...request.capabilities]));
    expect(state.executions[0]?.environment).toEqual({ API_KEY: 'k-123456' });
    await ask();
  });

  test('asks about running and about its requests in one question', async () => {
    const policy = policyOf({ script_execution: 'require_approval', file_write: 'require_approval' });
    const { ask, finish, answerWith, grants, plugin } = useDispatch(done, { plugin: script('write:fs:$ROOT'), policy });
    const request = await ask();
    expect(request.capabilities).toEqual(['run:script', 'write:fs:$ROOT']);
    expect((await finish(answerWith(request, 'always'))).kind).toBe('ok');
    expect(grants.of(plugin)).toEqual(['run:script', 'write:fs:$ROOT']);
    expect((await finish({ canAsk: false })).kind).toBe('ok');
  });

  test('names everything and one command where nobody can be asked', async () => {
    const plugin = script('write:fs:$ROOT', 'env:API_KEY');
    const { finish, state, outcomes } = useDispatch(done, { plugin });
    const outcome = await finish({ canAsk: false });
    expect(outcome).toMatchObject({ kind: 'refused', tier: 'none' });
    expect(outcome.error).toEqual({
      code: 'DISPATCH_NOT_PERMITTED',
      message:
        'Cannot run "plugin_vault_go": write:fs:$ROOT is not granted: without a policy file file_write means require_approval (by grant); ' +
        'env:API_KEY is not granted: env always requires approval (by grant). Grant them with: plugbridge grant vault file_write env:API_KEY',
    });
    expect(outcome.refusals.map(({ capability, by }) => `${by} ${capability}`)).toEqual(['grant write:fs:$ROOT', 'grant env:API_KEY']);
    expect(outcomes()[0]?.refusals).toHaveLength(2);
    expect(state.executions).toEqual([]);
  });

  test('refuses it when the person says no, and names the person’s word', async () => {
    const { ask, finish, answerWith, state, grants, plugin, intents } = useDispatch(done, { plugin: script('write:fs:$ROOT') });
    const outcome = await finish(answerWith(await ask(), 'no'));
    expect(outcome.error?.message).toBe(
      'Cannot run "plugin_vault_go": a person refused write:fs:$ROOT for this call (by grant). Grant it with: plugbridge grant vault file_write',
    );
    expect(state.executions).toEqual([]);
    expect(grants.of(plugin)).toEqual([]);
    expect(intents().at(-1)?.decision).toMatchObject({ effect: 'deny', source: 'grant' });
  });

  test('asks nobody about what no answer would settle, and names what would be asked too', async () => {
    const plugin = script('write:fs:$ROOT', 'write:fs:$PLUGIN');
    const { finish, state, intents } = useDispatch(done, { plugin });
    const outcome = await finish();
    expect(outcome.error?.message).toMatch(
      /write:fs:\$PLUGIN cannot be given: a plugin cannot change its own files \(by policy\); write:fs:\$ROOT is not granted: .* \(by grant\)\. No grant lifts this\. Grant it with: plugbridge grant vault file_write$/,
    );
    expect(state.executions).toEqual([]);
    expect(intents()[0]?.decision).toMatchObject({ effect: 'deny', source: 'policy' });
  });

  test('refuses files that a rule takes away in part, and leaves hosts to be asked per use', async () => {
    const policy = withRules(ALLOW_ALL, { path: '$ROOT/secret', effect: 'deny' });
    const files = useDispatch(done, { plugin: script('read:fs:$ROOT'), policy });
    expect((await files.finish()).error?.message).toContain(
      'a rule takes a part of it away, and it is given whole or not at all (by policy)',
    );

    const hosts = useDispatch(
      (_execution, { permit }) => {
        const permitted = ['a.test', 'evil.test'].map((host) => permit({ kind: 'net', host, port: 443 }).allowed);
        return okText(permitted.join(' '));
      },
      { plugin: script('net:*'), policy: withRules(ALLOW_ALL, { host: 'evil.test', effect: 'deny' }) },
    );
    const outcome = await hosts.finish();
    expect(outcome.content[0]).toEqual({ type: 'text', text: 'true false' });
    expect(outcome.refusals).toMatchObject([{ capability: 'net:evil.test:443', by: 'policy' }]);
    // Without them the sandbox would have no way out at all.
    expect(hosts.state.executions[0]?.permissions).toContain('net:*');
  });

  test('never stops a running script to ask, for it may have done something by then', async () => {
    const { finish } = useDispatch(
      (_execution, { permit, signal }) => {
        const { allowed } = permit({ kind: 'net-address', host: 'a.test', port: 80, address: '127.0.0.1' });
        return okText(`${allowed} ${signal.aborted}`);
      },
      { plugin: script('net:a.test:80'), policy: ALLOW_ALL },
    );
    const outcome = await finish();
    expect(outcome.content[0]).toEqual({ type: 'text', text: 'false false' });
    expect(outcome.refusals).toHaveLength(1);
  });

  test('looks only at what the command needs of the plugin’s requests', async () => {
    const plugin = { ...script('read:fs:$ROOT', 'write:fs:$ROOT'), commands: [aCommand('go', { requests: ['read:fs:$ROOT'] })] };
    const { finish, outcomes } = useDispatch(done, { plugin, usage: RAN });
    expect((await finish({ canAsk: false })).kind).toBe('ok');
    expect(outcomes()[0]?.used).toEqual(['read:fs:$ROOT']);
  });

  test('counts what is too much to name', async () => {
    const names = Array.from({ length: 14 }, (_, at) => `env:V${at}`);
    const outcome = await useDispatch(done, { plugin: script(...names) }).finish({ canAsk: false });
    expect(outcome.error?.message).toContain('; and 4 more. Grant them with: plugbridge grant vault env:V0 ');
    expect(outcome.refusals).toHaveLength(14);
  });
});

describe('createDispatch().call() gives variables of the server', () => {
  const environment = { API_KEY: 'k-abcdef-123456', OTHER: 'not-for-plugins', EMPTY: '' };

  test('that are granted and set, and no other', async () => {
    const plugin = script('env:API_KEY', 'env:EMPTY', 'env:UNSET', 'env:__proto__');
    const { finish, grants, plugin: vault, state } = useDispatch(done, { plugin, environment });
    grants.add(vault, plugin.requests ?? []);
    await finish();
    expect(state.executions[0]?.environment).toEqual({ API_KEY: 'k-abcdef-123456', EMPTY: '' });
    expect(Object.getPrototypeOf(state.executions[0]?.environment)).toBe(Object.prototype);
  });

  test('and keeps their values out of the journal, wherever a plugin or a caller puts them', async () => {
    const { finish, grants, plugin, records } = useDispatch(
      (_execution, { permit, refused }) => {
        permit({ kind: 'net', host: 'k-abcdef-123456.evil.test', port: 443 });
        refused({ allowed: false, capability: 'net:evil.test:443', by: 'policy', reason: 'k-abcdef-123456 is no path' });
        return okText('done');
      },
      { plugin: script('env:API_KEY'), environment },
    );
    grants.add(plugin, ['env:API_KEY']);
    await finish({ arguments: { text: 'use k-abcdef-123456 please' } });
    const text = JSON.stringify(records());
    expect(text).not.toContain('k-abcdef-123456');
    expect(text).toContain('use [redacted] please');
    expect(text).toContain('net:[redacted].evil.test:443');
    expect(text).toContain('env:API_KEY');
  });

  test('also of a call that is refused before anything is decided', async () => {
    const { finish, records } = useDispatch(done, { plugin: script('env:API_KEY'), environment });
    expect((await finish({ arguments: { text: ['k-abcdef-123456'] } })).error?.code).toBe('DISPATCH_ARGUMENTS_INVALID');
    expect(JSON.stringify(records())).not.toContain('k-abcdef-123456');
  });
});
