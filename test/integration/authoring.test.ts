import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { BROKEN, DRAFT, mend, namesOf, readRecords, serveAuthoring, textOf, useWorkshop } from '../helpers/authoring-server.ts';
import { describeWith } from '../helpers/interpreters.ts';
import { connectClient, type CallResult } from '../helpers/mcp-clients.ts';
import { useScriptHost } from '../helpers/script-host.ts';
import { useTmp } from '../helpers/tmp.ts';

test('without the option no client can write plugins', async () => {
  const client = await useWorkshop({ authoring: false }).open();
  expect((await namesOf(client)).filter((name) => name.includes('_plugin'))).toEqual([]);
  await expect(client.call('plugbridge_draft_plugin', DRAFT)).rejects.toThrow('Unknown tool: plugbridge_draft_plugin');
});

describeWith('python')('authoring', () => {
  test('tells clients what its tools do', async () => {
    const client = await useWorkshop().open();
    const tools = await client.listTools();
    expect(tools.filter(({ name }) => name.endsWith('_plugin'))).toMatchObject([
      { name: 'plugbridge_draft_plugin', annotations: { readOnlyHint: false, destructiveHint: false } },
      { name: 'plugbridge_patch_plugin', annotations: { readOnlyHint: false, destructiveHint: true } },
      { name: 'plugbridge_propose_plugin', annotations: { readOnlyHint: false, idempotentHint: true } },
    ]);
  });

  test('a fourth attempt is refused, and so is writing a draft anew from the second on', async () => {
    const client = await useWorkshop().open();
    await client.call('plugbridge_draft_plugin', BROKEN);
    const anew = await client.call('plugbridge_draft_plugin', DRAFT);
    expect(textOf(anew)).toBe('Cannot write the draft "doubler" anew: attempt 2 and later are patches; use plugbridge_patch_plugin');
    // What cannot be applied uses no attempt.
    expect(textOf(await client.call('plugbridge_patch_plugin', mend('nowhere', 'x')))).toContain(
      'nothing was changed and no attempt was used',
    );
    expect((await client.call('plugbridge_patch_plugin', mend('* 3', '* 4'))).structuredContent).toMatchObject({
      attempt: 2,
      status: 'failing',
    });
    const third = await client.call('plugbridge_patch_plugin', mend('* 4', '* 5'));
    expect(third.structuredContent).toMatchObject({ attempt: 3, attemptsLeft: 0, status: 'closed' });
    const fourth = await client.call('plugbridge_patch_plugin', mend('* 5', '* 2'));
    expect(fourth.isError).toBe(true);
    expect(textOf(fourth)).toContain('it is closed after 3 failed attempts');
    expect(textOf(await client.call('plugbridge_draft_plugin', DRAFT))).toContain('three attempts failed');
    expect(textOf(await client.call('plugbridge_propose_plugin', { name: 'doubler' }))).toContain('its last attempt did not pass');
  });

  test('syntax and schema are checked before anything runs', async () => {
    const { base, open } = useWorkshop();
    const client = await open();
    const syntax = await client.call('plugbridge_draft_plugin', { ...DRAFT, code: 'import json\nprint(json.dumps({)\n' });
    expect(textOf(syntax)).toMatch(/problem: main\.py:2/);
    const schema = await client.call('plugbridge_draft_plugin', {
      ...DRAFT,
      name: 'twice',
      parameters: [...DRAFT.parameters, { name: 'n', type: 'string' }],
    });
    expect(textOf(schema)).toMatch(/problem: plugin\.json:\d+: parameters\[1\]/);
    expect(readRecords(base).filter(({ kind }) => kind === 'intent')).toEqual([]);
  });

  test('images that a run makes come back as images, for the caller to look at', async () => {
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    const code = `import base64, json\nopen("dot.png", "wb").write(base64.b64decode("${png}"))\nprint(json.dumps({"files": ["dot.png"]}))\n`;
    const client = await useWorkshop().open();
    const drafted = await client.call('plugbridge_draft_plugin', { name: 'dot', language: 'python', description: 'A dot', code });
    expect(drafted.content[1]).toEqual({ type: 'image', data: png, mimeType: 'image/png' });
    expect(textOf(drafted)).toMatch(/file: dot\.png \(image\/png, 70 bytes\) artifact:/);
    expect(drafted.structuredContent).toMatchObject({ status: 'passing' });
  });

  test('a draft gets nothing that it requests before a person has accepted it', async () => {
    const { base, host, open } = useWorkshop();
    writeFileSync(join(base, 'root/secret.txt'), 'secret');
    const client = await open();
    const drafted = await client.call('plugbridge_draft_plugin', { ...DRAFT, capabilities: ['read:fs:$ROOT'] });
    expect(textOf(drafted)).toContain('not-run: needs read:fs:$ROOT, which nothing gets before a person has accepted it');
    expect(readRecords(base).filter(({ kind }) => kind === 'intent')).toEqual([]);
    const spy = `import json, os\nprint(json.dumps({"seen": os.path.exists(${JSON.stringify(join(base, 'root/secret.txt'))})}))\n`;
    const seen = await client.call('plugbridge_draft_plugin', {
      ...DRAFT,
      name: 'spy',
      code: spy,
      tests: [{ arguments: { n: 1 }, expect: { seen: false } }],
    });
    expect(seen.structuredContent).toMatchObject({ status: 'passing' });
    expect(host.grants.of(host.catalog.current().entries[0]?.plugin ?? ({ id: 'none', digest: 'none' } as never))).toEqual([]);
  });

  test('the policy holds for drafts', async () => {
    const base = useTmp();
    mkdirSync(join(base, 'own/config'), { recursive: true });
    writeFileSync(join(base, 'own/config/policy.toml'), 'script_execution = "deny"\n');
    const target = await serveAuthoring(useScriptHost(base));
    const client = await connectClient('pinned', target);
    onTestFinished(() => client.close());
    const drafted = await client.call('plugbridge_draft_plugin', DRAFT);
    expect(textOf(drafted)).toMatch(/run run \(tests\/test-1\.json\): not-run: needs .*script_execution/);
  });

  test('drafts are bounded in number, size and name', async () => {
    const { base, open } = useWorkshop();
    const client = await open();
    const draft = (over: object): Promise<CallResult> => client.call('plugbridge_draft_plugin', { ...DRAFT, ...over });
    expect(textOf(await draft({ name: '../evil' }))).toContain('Cannot draft "../evil"');
    expect(textOf(await draft({ code: 'x'.repeat(300_000) }))).toContain('/code');
    expect(
      textOf(await client.call('plugbridge_patch_plugin', { name: '../../x', edits: [{ file: 'a', find: 'b', replace: 'c' }] })),
    ).toContain('there is no draft of that name');
    const drafts = join(base, 'own/state/drafts');
    mkdirSync(drafts, { recursive: true });
    for (let index = 0; index < 20; index++) {
      mkdirSync(join(drafts, `d${index}`));
      writeFileSync(
        join(drafts, `.d${index}.json`),
        JSON.stringify({ version: 1, attempt: 3, status: 'closed', digest: '', changedAtMs: Date.now() }),
      );
    }
    expect(textOf(await draft({ name: 'one-more' }))).toContain('there are 20, the most at a time');
    expect(readdirSync(drafts).filter((name) => !name.startsWith('.'))).toHaveLength(20);
  });
});
