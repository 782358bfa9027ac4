import { describe, expect, test } from 'vitest';

import type { Work } from './fixtures.ts';
import { okText, policyOf, useDispatch } from './fixtures.ts';

/** Writes one file and answers whether it was allowed. */
const writesOnce: Work = ({ paths }, { permit }) =>
  okText(permit({ kind: 'write:fs', path: `${paths.root}/a` }).allowed ? 'written' : 'not written');
const MID_CALL = ['write:fs:$ROOT', 'net:api.test:443'];

describe('createDispatch().call() asks in the middle of a call', () => {
  test('for all that the command could need, and records the question', async () => {
    const { ask, intents, outcomes, state } = useDispatch(writesOnce);
    const request = await ask();
    expect(request).toMatchObject({
      plugin: 'vault',
      command: 'go',
      capabilities: MID_CALL,
      message: 'The plugin "vault" wants to run "go" and needs your permission',
    });
    expect(state.executions).toHaveLength(1);
    expect(intents()).toHaveLength(1);
    expect(outcomes()[0]).toMatchObject({
      outcome: 'refused',
      error: 'DISPATCH_APPROVAL_ASKED',
      tier: 'bwrap',
      refusals: [{ capability: 'write:fs:$ROOT' }, {}],
    });
  });

  test('and stops the execution', async () => {
    const { ask } = useDispatch(({ paths }, { permit, signal }) => {
      permit({ kind: 'write:fs', path: `${paths.root}/a` });
      return signal.aborted ? { kind: 'cancelled' } : okText('went on');
    });
    expect((await ask()).capabilities).toEqual(MID_CALL);
  });

  test('once: allowed in this call, asked again in the next', async () => {
    const { ask, finish, answerWith, grants, plugin, events } = useDispatch(writesOnce);
    expect((await finish(answerWith(await ask(), 'once'))).content).toEqual([{ type: 'text', text: 'written' }]);
    expect(grants.of(plugin)).toEqual([]);
    expect(events()).toEqual(['approval-answered']);
    await ask();
  });

  test('always: allowed from now on, stored as a grant and recorded', async () => {
    const { ask, finish, answerWith, grants, plugin, events } = useDispatch(writesOnce);
    expect((await finish(answerWith(await ask(), 'always'))).kind).toBe('ok');
    expect(grants.of(plugin)).toEqual(MID_CALL);
    expect(events()).toEqual(['approval-answered', 'granted']);
    expect((await finish()).content).toEqual([{ type: 'text', text: 'written' }]);
  });

  test('no: refused in this call, and the refusal says how to grant it', async () => {
    const { ask, finish, answerWith, grants, plugin } = useDispatch(writesOnce);
    const outcome = await finish(answerWith(await ask(), 'no'));
    expect(outcome.content[0]).toEqual({ type: 'text', text: 'not written' });
    const [refusal] = outcome.refusals;
    expect(refusal).toMatchObject({ allowed: false, capability: 'write:fs:$ROOT', by: 'grant' });
    expect(refusal?.reason).toMatch(/^a person refused it for this call\. Grant it with: plugbridge grant vault /);
    expect(grants.of(plugin)).toEqual([]);
  });

  test('not where nobody can be asked', async () => {
    const { finish } = useDispatch(writesOnce);
    const outcome = await finish({ canAsk: false });
    expect(outcome.content[0]).toEqual({ type: 'text', text: 'not written' });
    expect(outcome.refusals[0]).toMatchObject({ capability: 'write:fs:$ROOT', by: 'grant' });
  });

  test('not once something had an effect, for the call would have it twice', async () => {
    const { finish, grants, plugin } = useDispatch(({ paths }, { permit }) => {
      const wrote = permit({ kind: 'write:fs', path: `${paths.root}/a` }).allowed;
      const sent = permit({ kind: 'net', host: 'api.test', port: 443 }).allowed;
      return okText(`${wrote} ${sent}`);
    });
    grants.add(plugin, ['write:fs:$ROOT']);
    const outcome = await finish();
    expect(outcome.content[0]).toEqual({ type: 'text', text: 'true false' });
    expect(outcome.refusals[0]).toMatchObject({ capability: 'net:api.test:443', by: 'grant' });
    expect(outcome.refusals[0]?.reason).toContain('Grant it with: plugbridge grant vault net:api.test:443');
  });

  test('after reading, which may be done twice', async () => {
    const { ask } = useDispatch((execution, live) => {
      live.permit({ kind: 'read:fs', path: `${execution.paths.root}/a` });
      return writesOnce(execution, live);
    });
    expect((await ask()).capabilities).toEqual(MID_CALL);
  });

  test('at most once for a call', async () => {
    const { ask, finish, answerWith } = useDispatch((_execution, { permit }) =>
      okText(String(permit({ kind: 'net', host: 'api.test', port: 443 }).allowed)),
    );
    const outcome = await finish(answerWith(await ask(), 'no'));
    expect(outcome.content[0]).toEqual({ type: 'text', text: 'false' });
  });
});

describe('createDispatch().call() asks before a call', () => {
  const policy = policyOf({ wasm_execution: 'require_approval', file_write: 'allow', network: 'deny' });

  test('that only approval lets run, and nothing runs until then', async () => {
    const { ask, finish, answerWith, state, intents, outcomes } = useDispatch(writesOnce, { policy });
    const request = await ask();
    expect(state.executions).toEqual([]);
    expect(intents()[0]?.decision).toMatchObject({ effect: 'require_approval', source: 'policy' });
    expect(outcomes()[0]).toMatchObject({ error: 'DISPATCH_APPROVAL_ASKED', tier: 'none' });
    expect((await finish(answerWith(request, 'once'))).content).toEqual([{ type: 'text', text: 'written' }]);
    expect(intents()[1]?.decision).toEqual({ effect: 'allow', source: 'approval' });
  });

  test('no: the call is refused', async () => {
    const { ask, finish, answerWith, state } = useDispatch(writesOnce, { policy });
    expect((await finish(answerWith(await ask(), 'no'))).error?.code).toBe('DISPATCH_NOT_PERMITTED');
    expect(state.executions).toEqual([]);
  });

  test('always: from now on it runs by its grant', async () => {
    const { ask, finish, answerWith, intents } = useDispatch(writesOnce, { policy });
    await finish(answerWith(await ask(), 'always'));
    expect((await finish()).kind).toBe('ok');
    expect(intents().at(-1)?.decision).toEqual({ effect: 'allow', source: 'grant' });
  });
});

describe('createDispatch().call() takes an approval', () => {
  test.for(['once', 'always', 'no'] as const)('for one try: %s', async (answer) => {
    const { ask, finish, answerWith } = useDispatch(writesOnce);
    const approval = answerWith(await ask(), answer);
    await finish(approval);
    expect(await finish(approval)).toMatchObject({
      kind: 'refused',
      error: {
        code: 'DISPATCH_APPROVAL_VOID',
        message:
          'Cannot use the approval for "plugin_vault_go": this approval was used before or never asked for; call the tool again to be asked anew',
      },
    });
  });

  test('for these arguments alone, and grants nothing for others', async () => {
    const { ask, finish, answerWith, grants, plugin, state } = useDispatch(writesOnce);
    const approval = answerWith(await ask(), 'always');
    const outcome = await finish({ ...approval, arguments: { text: 'other' } });
    expect(outcome.error?.message).toContain('this approval was given for other arguments');
    expect(grants.of(plugin)).toEqual([]);
    expect(state.executions).toHaveLength(1);
  });

  test('for arguments in another order of members', async () => {
    const { ask, finish, answerWith } = useDispatch(writesOnce);
    const approval = answerWith(await ask({ arguments: { text: 'x', n: 1 } }), 'once');
    expect((await finish({ ...approval, arguments: { n: 1, text: 'x' } })).kind).toBe('ok');
  });
});
