import { describe, expect, test } from 'vitest';

import { makePng } from '../../helpers/images.ts';
import { okText, useDispatch, type Work } from './fixtures.ts';

describe('createDispatch().call() shows the files that a call produced', () => {
  const keepsTwo: Work = async ({ arguments: { text } }, { keep }) => {
    await keep({ name: 'chart.png', bytes: makePng(), description: 'A chart' });
    await keep({ name: 'data.csv', bytes: Buffer.from('a,b') });
    if (text === 'fail') return { kind: 'failed', code: 'EXECUTION_PLUGIN_FAILED', message: 'no more data' };
    return { kind: 'ok', output: { text: '{"n":1}', structured: { n: 1 }, warnings: ['c.txt is missing'] } };
  };

  test('after its text and its warnings', async () => {
    const { finish, state } = useDispatch(keepsTwo);
    const outcome = await finish();
    const uri = `artifact://${state.executions[0]?.callId}`;
    expect(outcome).toMatchObject({
      kind: 'ok',
      structured: { n: 1 },
      content: [
        { type: 'text', text: '{"n":1}' },
        { type: 'text', text: 'Warnings:\n- c.txt is missing' },
        { type: 'image', mimeType: 'image/png', data: makePng().toString('base64') },
        { type: 'resource_link', uri: `${uri}/chart.png`, name: 'chart.png', mimeType: 'image/png', description: 'A chart' },
        { type: 'resource_link', uri: `${uri}/data.csv`, name: 'data.csv', mimeType: 'text/csv', size: 3 },
      ],
    });
    expect(outcome.artifacts.map(({ name }) => name)).toEqual(['chart.png', 'data.csv']);
  });

  test('of a failure too', async () => {
    const outcome = await useDispatch(keepsTwo).finish({ arguments: { text: 'fail' } });
    expect(outcome.kind).toBe('failed');
    expect(outcome.content.map((item) => item.type)).toEqual(['text', 'image', 'resource_link', 'resource_link']);
    expect(outcome.artifacts).toHaveLength(2);
  });

  test('each its own when two calls write the same name at once', async () => {
    const { finish } = useDispatch(async ({ arguments: { text } }, { keep }) => {
      await keep({ name: 'out.txt', bytes: Buffer.from(String(text)) });
      return okText('');
    });
    const outcomes = await Promise.all(['a', 'bb', 'ccc'].map((text) => finish({ arguments: { text } })));
    expect(outcomes.flatMap(({ artifacts }) => artifacts.map(({ name, bytes }) => `${name} ${bytes}`))).toEqual([
      'out.txt 1',
      'out.txt 2',
      'out.txt 3',
    ]);
    expect(new Set(outcomes.map(({ artifacts }) => artifacts[0]?.uri)).size).toBe(3);
  });

  test('and tells the executor why one was not kept', async () => {
    const { finish } = useDispatch(
      async (_execution, { keep }) => {
        const answer = await keep({ name: 'big', bytes: Buffer.alloc(100_000) });
        return okText(answer.kept ? 'kept' : answer.reason);
      },
      { quotaBytes: 40_000 },
    );
    const outcome = await finish();
    expect(outcome.content).toEqual([
      { type: 'text', text: 'Cannot keep 100000 bytes as an artifact: this call has 0 of 10000 bytes in use' },
    ]);
    expect(outcome.artifacts).toEqual([]);
  });
});

describe('createDispatch().call() records how the process ended', () => {
  test('and what its sandbox could not enforce', async () => {
    const { finish, outcomes } = useDispatch(() => okText(''), { usage: { exit: 'exit 3', unenforced: ['memory', 'cpu'] } });
    await finish();
    expect(outcomes()[0]).toMatchObject({ exit: 'exit 3', unenforced: ['memory', 'cpu'] });
  });

  test('and leaves both out where there is nothing to say', async () => {
    const { finish, outcomes } = useDispatch(() => okText(''), { usage: { unenforced: [] } });
    await finish();
    expect(outcomes()[0]).not.toHaveProperty('exit');
    expect(outcomes()[0]).not.toHaveProperty('unenforced');
  });
});
