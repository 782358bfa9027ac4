import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { HostError } from '../../../src/errors.ts';
import { aCommand } from '../catalog/fixtures.ts';
import { okText, policyOf, useDispatch } from './fixtures.ts';

const textOf = (content: readonly { type: string; text?: string }[]): string =>
  content.map((item) => item.text ?? `[${item.type}]`).join('\n');

describe('createDispatch().call() runs a permitted call', () => {
  test('with plain data, and records intent and outcome', async () => {
    const { finish, state, plugin, root, intents, outcomes } = useDispatch((_execution, live) => {
      live.log({ level: 'info', message: 'hello' });
      live.permit({ kind: 'read:fs', path: `${root}/a.txt` });
      return okText('done');
    });
    const outcome = await finish();
    expect(outcome).toMatchObject({
      kind: 'ok',
      content: [{ type: 'text', text: 'done' }],
      logs: [{ level: 'info', message: 'hello' }],
      refusals: [],
      artifacts: [],
      truncated: false,
      tier: 'bwrap',
    });
    expect(outcome.durationMs).toBeGreaterThan(0);
    expect(outcome).not.toHaveProperty('error');
    const [execution] = state.executions;
    expect(JSON.parse(JSON.stringify(execution))).toEqual(execution);
    expect(execution).toMatchObject({
      command: 'go',
      arguments: { text: 'x' },
      paths: { root, plugin: '/plugins/vault' },
      environment: {},
      limits: plugin.limits,
    });
    const [intent] = intents();
    const [ending] = outcomes();
    expect(intent).toMatchObject({
      callId: execution?.callId,
      client: { name: 'claude-code', version: '2.1' },
      transport: 'stdio',
      principal: 'ada',
      plugin: 'vault',
      version: '1.0.0',
      digest: plugin.digest,
      command: 'go',
      arguments: { text: 'x' },
      decision: { effect: 'allow', source: 'policy' },
    });
    expect(ending).toMatchObject({
      callId: execution?.callId,
      outcome: 'ok',
      bytesIn: 3,
      bytesOut: 7,
      fuel: 42,
      tier: 'bwrap',
      used: ['read:fs'],
      refusals: [],
    });
  });

  test('with structured content, and without it when the text is too long', async () => {
    const structured = { list: [1, 2] };
    const { finish } = useDispatch(({ arguments: { text } }) => ({
      kind: 'ok',
      output: { text: text === 'long' ? 'x'.repeat(2_000) : '{}', structured },
    }));
    expect((await finish()).structured).toEqual(structured);
    const long = await finish({ arguments: { text: 'long' } });
    expect(long).not.toHaveProperty('structured');
    expect(long.truncated).toBe(true);
    expect(long.artifacts).toHaveLength(1);
    expect(long.content.map((item) => item.type)).toEqual(['text', 'resource_link']);
  });

  test('and hides secrets from the journal, not from the plugin', async () => {
    const settings = { schema: { type: 'object' }, secrets: ['license'] };
    const { finish, state, records } = useDispatch(() => okText(''), { plugin: { settings } });
    await finish({ arguments: { license: 'L-123456', password: 'hunter22' } });
    expect(state.executions[0]?.arguments).toEqual({ license: 'L-123456', password: 'hunter22' });
    expect(JSON.stringify(records())).not.toMatch(/L-123456|hunter22/);
  });

  test('and keeps the answer when the artifact store cannot', async () => {
    const { finish, tmp, outcomes } = useDispatch(() => okText('x'.repeat(2_000)));
    mkdirSync(join(tmp, 'state'), { recursive: true });
    writeFileSync(join(tmp, 'state', 'artifacts'), 'a file in its place');
    const outcome = await finish();
    expect(outcome.kind).toBe('ok');
    expect(textOf(outcome.content)).toMatch(
      /^x{1000}\n\n\[cut after 1000 of 2000 characters; the rest is lost: Cannot use the artifact store/,
    );
    expect(outcomes()).toHaveLength(1);
  });
});

describe('createDispatch().call() refuses before anything runs:', () => {
  test('a tool that nobody knows, without a record', async () => {
    const { call, state } = useDispatch(() => okText(''));
    expect(await call({ tool: 'plugin_vault_none' })).toEqual({ kind: 'unknown-tool', message: 'Unknown tool: plugin_vault_none' });
    expect(state.executions).toEqual([]);
  });

  const strict = {
    commands: [aCommand('go', { inputSchema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } })],
  };
  let deep: unknown = 1;
  for (let i = 0; i < 600; i++) deep = [deep];
  test.for([
    ['that lack one', {}, "the arguments must have required property 'n'"],
    ['that are absent', undefined, "the arguments must have required property 'n'"],
    ['of another type', { n: 'x' }, '"/n" must be integer'],
    ['that are a list', [1], 'the arguments must be object'],
    ['that are text', 'n=1', 'the arguments must be object'],
    ['that are nested 600 deep', { n: 1, deep }, 'the arguments are nested too deeply'],
  ] as const)('arguments %s', async ([, args, reason]) => {
    const { finish, state, intents, outcomes } = useDispatch(() => okText(''), { plugin: strict });
    const outcome = await finish({ arguments: args });
    const message = `Cannot call "plugin_vault_go": ${reason}; correct the arguments and call again`;
    expect(outcome).toMatchObject({
      kind: 'refused',
      error: { code: 'DISPATCH_ARGUMENTS_INVALID', message },
      content: [{ type: 'text', text: `DISPATCH_ARGUMENTS_INVALID: ${message}` }],
      tier: 'none',
    });
    expect(state.executions).toEqual([]);
    expect(intents()[0]?.decision).toEqual({ effect: 'deny', source: 'arguments' });
    expect(outcomes()[0]).toMatchObject({ outcome: 'refused', error: 'DISPATCH_ARGUMENTS_INVALID' });
  });

  test('a call that the policy denies', async () => {
    const { finish, state, intents } = useDispatch(() => okText(''), { policy: policyOf({ wasm_execution: 'deny' }) });
    const outcome = await finish();
    expect(outcome.error?.code).toBe('DISPATCH_NOT_PERMITTED');
    expect(outcome.error?.message).toMatch(
      /^Cannot run "plugin_vault_go": .*wasm_execution.*\. Only the policy can change this; a grant cannot$/,
    );
    expect(state.executions).toEqual([]);
    expect(intents()[0]?.decision).toMatchObject({ effect: 'deny', source: 'policy' });
  });

  test('a call that needs approval, where nobody can be asked', async () => {
    const { finish, state } = useDispatch(() => okText(''), { policy: policyOf({ wasm_execution: 'require_approval' }) });
    const outcome = await finish({ canAsk: false });
    expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'DISPATCH_NOT_PERMITTED' } });
    expect(outcome.error?.message).toContain('Grant it with: plugbridge grant vault ');
    expect(state.executions).toEqual([]);
  });

  test('what finds the queue full', async () => {
    let release = (): void => {};
    let announce = (): void => {};
    const started = new Promise<void>((resolve) => (announce = resolve));
    const { call, finish, outcomes, state } = useDispatch(
      async ({ arguments: { text } }) => {
        announce();
        if (text === 'x') await new Promise<void>((resolve) => (release = resolve));
        return okText('');
      },
      { maxRunning: 1, maxWaiting: 0 },
    );
    const first = call();
    await started;
    expect((await finish()).error).toEqual({
      code: 'DISPATCH_QUEUE_FULL',
      message: 'Cannot call "plugin_vault_go" now: the queue is full, limits.queue (0); try again when other calls have ended',
    });
    expect(outcomes()[0]?.error).toBe('DISPATCH_QUEUE_FULL');
    release();
    await first;
    expect((await finish({ arguments: { text: 'y' } })).kind).toBe('ok');
    expect(state.executions).toHaveLength(2);
  });

  test('what was cancelled before it could run', async () => {
    const { finish, state, outcomes } = useDispatch(() => okText(''));
    expect(await finish({ signal: AbortSignal.abort() })).toMatchObject({
      kind: 'cancelled',
      error: { code: 'DISPATCH_CANCELLED', message: 'Cancelled "plugin_vault_go": the client withdrew it' },
    });
    expect(state.executions).toEqual([]);
    expect(outcomes()[0]?.outcome).toBe('cancelled');
  });

  test('everything, when the intent cannot be recorded', async () => {
    const { call, state, journal } = useDispatch(() => okText(''));
    journal.close();
    await expect(call()).rejects.toMatchObject({ name: 'HostError', code: 'AUDIT_UNWRITABLE' });
    await expect(call({ arguments: { text: 1 } })).rejects.toMatchObject({ code: 'AUDIT_UNWRITABLE' });
    expect(state.executions).toEqual([]);
  });
});

describe('createDispatch().call() tells how an execution ended:', () => {
  test.for([
    [{ kind: 'failed', code: 'EXECUTION_PLUGIN_FAILED', message: 'no such note' }, 'failed', 'EXECUTION_PLUGIN_FAILED: no such note'],
    [
      { kind: 'timed-out', limit: 'timeoutMs', message: 'no answer within 5 ms' },
      'timed-out',
      'EXECUTION_TIMED_OUT: Cannot finish "plugin_vault_go" in time: no answer within 5 ms; ask for less at a time or raise the plugin’s timeout',
    ],
    [{ kind: 'cancelled' }, 'cancelled', 'DISPATCH_CANCELLED: Cancelled "plugin_vault_go": the client withdrew it'],
  ] as const)('%o', async ([result, kind, text]) => {
    const { finish, outcomes } = useDispatch(() => result);
    expect(await finish()).toMatchObject({ kind, content: [{ type: 'text', text }], tier: 'bwrap' });
    expect(outcomes()[0]).toMatchObject({ outcome: kind, fuel: 42 });
  });

  test('a plugin’s own long error is cut and kept like any answer', async () => {
    const { finish } = useDispatch(() => ({ kind: 'failed', code: 'EXECUTION_PLUGIN_FAILED', message: 'x'.repeat(100_000) }));
    const outcome = await finish();
    expect(outcome.error?.message).toHaveLength(1_000);
    expect(textOf(outcome.content).length).toBeLessThan(1_500);
    expect(outcome).toMatchObject({ kind: 'failed', truncated: true });
    expect(outcome.artifacts).toHaveLength(1);
  });

  test('what was refused during the call, five of them in words', async () => {
    const { finish, root, outcomes } = useDispatch((_execution, { permit }) => {
      permit({ kind: 'exec', program: 'git', args: ['status'] });
      for (let i = 0; i < 80; i++) permit({ kind: 'net', host: `h${i}.test`, port: 443 });
      permit({ kind: 'write:fs', path: `${root}/a` });
      permit({ kind: 'exec', program: 'git', args: ['status'] });
      return okText('done');
    });
    const outcome = await finish({ canAsk: false });
    expect(outcome.kind).toBe('ok');
    expect(outcome.refusals).toHaveLength(50);
    expect(outcome.refusals[0]).toMatchObject({ allowed: false, capability: 'exec:git', by: 'request' });
    const lines = textOf(outcome.content).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'done',
      'Refused during this call:',
      expect.stringMatching(/^- exec:git \(by request\): the manifest of "vault" does not request/),
    ]);
    expect(lines).toHaveLength(8);
    expect(lines.at(-1)).toBe('- and 45 more');
    expect(outcomes()[0]?.refusals).toHaveLength(50);
  });

  test('an executor that throws is recorded, and the error goes on', async () => {
    const { call, finish, outcomes, intents } = useDispatch(
      ({ arguments: { text } }) => {
        if (text === 'x') throw new Error('broken promise');
        return okText('fine');
      },
      { maxRunning: 1, maxWaiting: 0 },
    );
    await expect(call()).rejects.toThrow('broken promise');
    expect(intents()).toHaveLength(1);
    expect(outcomes()[0]).toMatchObject({ outcome: 'failed', error: 'EXECUTION_INTERNAL', exit: 'broken promise' });
    expect((await finish({ arguments: { text: 'y' } })).kind).toBe('ok');
  });

  test('the client’s cancellation reaches the execution', async () => {
    const cancel = new AbortController();
    const { finish } = useDispatch(async (_execution, { signal }) => {
      setImmediate(() => cancel.abort());
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { kind: 'cancelled' };
    });
    expect((await finish({ signal: cancel.signal })).kind).toBe('cancelled');
  });

  test('lines and progress go to the client as they come', async () => {
    const heard: unknown[] = [];
    const { finish } = useDispatch((_execution, live) => {
      live.log({ level: 'warning', message: 'm' });
      live.progress({ progress: 1, total: 2 });
      return okText('');
    });
    await finish({ onLog: (line) => void heard.push(line), onProgress: (progress) => void heard.push(progress) });
    expect(heard).toEqual([
      { level: 'warning', message: 'm' },
      { progress: 1, total: 2 },
    ]);
  });

  test('an outcome that cannot be recorded is an error, though the call ran', async () => {
    const { call, state, journal } = useDispatch(() => {
      journal.close();
      return okText('');
    });
    const error = await call().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(HostError);
    expect((error as HostError).code).toBe('AUDIT_UNWRITABLE');
    expect(state.executions).toHaveLength(1);
  });
});
