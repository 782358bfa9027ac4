import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { listPlugins } from '../../src/commands/list.ts';
import { runTrust } from '../../src/commands/trust.ts';
import { BROKEN, DRAFT, mend, namesOf, readRecords, serveAuthoring, textOf, useWorkshop } from '../helpers/authoring-server.ts';
import { describeWith } from '../helpers/interpreters.ts';
import { CLIENT_MODES, connectClient } from '../helpers/mcp-clients.ts';
import { makeOutput, useScriptHost } from '../helpers/script-host.ts';
import { useTmp } from '../helpers/tmp.ts';

describeWith('python')('proposals', () => {
  test.for(CLIENT_MODES)('a %s client drafts, fails, patches and proposes; `plugbridge trust` makes it a tool', async (mode) => {
    const { base, host, open } = useWorkshop();
    const client = await open(mode);
    const drafted = await client.call('plugbridge_draft_plugin', BROKEN);
    expect(drafted.isError).toBe(true);
    expect(textOf(drafted)).toContain('Attempt 1 of 3 at the draft "doubler" failed');
    expect(textOf(drafted)).toContain('/double: expected 42, found 63');
    expect(drafted.structuredContent).toMatchObject({ status: 'failing', attempt: 1, attemptsLeft: 2 });

    expect(textOf(await client.call('plugbridge_propose_plugin', { name: 'doubler' }))).toContain('its last attempt did not pass');
    const patched = await client.call('plugbridge_patch_plugin', mend('* 3', '* 2'));
    expect(patched.isError).toBeUndefined();
    expect(patched.structuredContent).toMatchObject({
      status: 'passing',
      attempt: 2,
      runs: [{ source: 'tests/test-1.json', status: 'ok' }],
    });
    expect(await namesOf(client)).not.toContain('plugin_doubler_run');

    const proposed = await client.call('plugbridge_propose_plugin', { name: 'doubler' });
    expect(textOf(proposed)).toContain(
      `${join(base, 'own/data/proposals/doubler')} until a person looks at it and runs: plugbridge trust doubler`,
    );
    expect(await listPlugins(host)).toMatchObject([{ name: 'doubler', status: 'untrusted', tools: [] }]);
    expect(host.catalog.current().findPlugin('doubler')?.error).toMatch(
      /^A client wrote and proposed it; look at ".*", then run: plugbridge trust doubler$/,
    );
    expect(await namesOf(client)).not.toContain('plugin_doubler_run');

    const changed = client.nextToolsChanged();
    await runTrust(host, { plugin: 'doubler', revoke: false, json: false, output: makeOutput() });
    host.catalog.reload();
    await changed;
    expect(await namesOf(client)).toContain('plugin_doubler_run');
    expect((await client.call('plugin_doubler_run', { n: 4 })).structuredContent).toEqual({ double: 8 });

    const records = readRecords(base);
    const events = records.filter(({ event }) => event?.startsWith('plugin-'));
    expect(events).toMatchObject([
      { event: 'plugin-drafted', plugin: 'doubler', detail: { attempt: 1, status: 'failing', client: 'matrix' } },
      { event: 'plugin-patched', plugin: 'doubler', detail: { attempt: 2, status: 'passing', client: 'matrix' } },
      { event: 'plugin-proposed', plugin: 'doubler' },
    ]);
    expect(records.filter(({ kind }) => kind === 'intent').map(({ version }) => version)).toEqual([
      '0.1.0-draft.1',
      '0.1.0-draft.2',
      '0.1.0',
    ]);
    // A name that is taken by now cannot be drafted again.
    expect(textOf(await client.call('plugbridge_draft_plugin', { ...DRAFT, name: 'doubler' }))).toMatch(
      /^Cannot draft "doubler": a plugin has that name; take another one$/,
    );
  });

  test.for(CLIENT_MODES)('a %s client’s person accepts a proposal where the client can ask', async (mode) => {
    const { base, host, open } = useWorkshop();
    const client = await open(mode, { answer: () => ({ action: 'accept', content: { decision: 'always' } }) });
    await client.call('plugbridge_draft_plugin', DRAFT);
    const changed = client.nextToolsChanged();
    const accepted = await client.call('plugbridge_propose_plugin', { name: 'doubler' });
    expect(textOf(accepted)).toBe('The person accepted it. New tools: plugin_doubler_run');
    expect(client.questions).toHaveLength(1);
    expect(client.questions[0]?.['message']).toMatch(
      /^"matrix" wrote a plugin and proposes it\. Look at .*doubler\. .* It says of itself: Doubles a number$/m,
    );
    await changed;
    expect((await client.call('plugin_doubler_run', { n: 5 })).structuredContent).toEqual({ double: 10 });
    const { digest, directory } = host.catalog.current().findPlugin('doubler')?.plugin ?? {};
    expect(host.trust.readTrust()).toMatchObject([{ directory, digest }]);
    expect(readRecords(base).find(({ event }) => event === 'plugin-accepted')).toMatchObject({
      plugin: 'doubler',
      detail: { digest, client: 'matrix' },
    });
    // The proposal is bound to its files: one that changes afterwards is no tool any more.
    writeFileSync(join(directory ?? '', 'main.py'), 'print("{}")');
    expect(host.catalog.reload().findPlugin('doubler')).toMatchObject({ status: 'changed', callable: false });
  });

  test.for([
    ['no', { action: 'accept', content: { decision: 'no' } }],
    ['once, which is no answer to this question', { action: 'accept', content: { decision: 'once' } }],
    ['nothing', { action: 'cancel' }],
  ] as const)('a person who says %s gets no tool, and the proposal is gone', async ([, answer]) => {
    const { base, host, open } = useWorkshop();
    const client = await open('pinned', { answer: () => answer });
    await client.call('plugbridge_draft_plugin', DRAFT);
    const declined = await client.call('plugbridge_propose_plugin', { name: 'doubler' });
    expect(textOf(declined)).toContain('The person declined it');
    expect(await listPlugins(host)).toEqual([]);
    expect(existsSync(join(base, 'own/data/proposals/doubler'))).toBe(false);
    expect(host.trust.readTrust()).toEqual([]);
    expect(readRecords(base).filter(({ event }) => event === 'plugin-declined')).toHaveLength(1);
  });

  test('an answer does not fit files that changed while the person was asked', async () => {
    const { base, host, open } = useWorkshop();
    const client = await open('pinned', {
      answer: () => {
        writeFileSync(join(base, 'own/data/proposals/doubler/main.py'), 'print("evil")');
        return { action: 'accept', content: { decision: 'always' } };
      },
    });
    await client.call('plugbridge_draft_plugin', DRAFT);
    const refused = await client.call('plugbridge_propose_plugin', { name: 'doubler' });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain('the plugin changed since this approval was asked for');
    expect(host.trust.readTrust()).toEqual([]);
    expect(await namesOf(client)).not.toContain('plugin_doubler_run');
  });

  test('a plugin is edited by patching a copy of it under another name', async () => {
    const base = useTmp();
    const plugins = join(base, 'plugins/mine');
    mkdirSync(plugins, { recursive: true });
    writeFileSync(
      join(plugins, 'PLUGIN.toml'),
      '[plugin]\nname = "mine"\nversion = "1.0.0"\ndescription = "Mine"\nruntime = "python"\nmain = "go.py"\n\n[[commands]]\nname = "go"\ndescription = "Goes"\n',
    );
    writeFileSync(join(plugins, 'go.py'), 'print(\'{"speed": 1}\')\n');
    const host = useScriptHost(base, { plugins: [join(base, 'plugins')] });
    const client = await connectClient('pinned', await serveAuthoring(host));
    onTestFinished(() => client.close());
    expect(textOf(await client.call('plugbridge_draft_plugin', { name: 'mine', from: 'mine' }))).toContain(
      'a plugin has that name; take another one',
    );
    const copied = await client.call('plugbridge_draft_plugin', { name: 'faster', from: 'mine' });
    expect(copied.structuredContent).toMatchObject({
      status: 'copied',
      attempt: 0,
      files: [{ file: 'PLUGIN.toml' }, { file: 'go.py', text: 'print(\'{"speed": 1}\')\n' }],
    });
    expect(textOf(await client.call('plugbridge_propose_plugin', { name: 'faster' }))).toContain('its last attempt did not pass');
    const edits = [{ file: 'go.py', find: '1', replace: '2' }];
    expect((await client.call('plugbridge_patch_plugin', { name: 'faster', edits })).structuredContent).toMatchObject({
      status: 'passing',
      attempt: 1,
    });
    expect(textOf(await client.call('plugbridge_propose_plugin', { name: 'faster' }))).toContain('plugbridge trust faster');
    expect(readFileSync(join(plugins, 'go.py'), 'utf8')).toContain('1');
    // An open proposal may be replaced by a better one under its own name.
    const again = await client.call('plugbridge_patch_plugin', { name: 'faster', edits: [{ file: 'go.py', find: '2', replace: '3' }] });
    expect(again.structuredContent).toMatchObject({ status: 'passing', attempt: 1 });
    await client.call('plugbridge_propose_plugin', { name: 'faster' });
    expect(readFileSync(join(base, 'own/data/proposals/faster/go.py'), 'utf8')).toContain('3');
  });

  test('what may not run does not come to run as a copy', async () => {
    const { base, open } = useWorkshop();
    const directory = join(base, 'root/.plugbridge/plugins/brought');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'plugin.json'), '{"name":"brought","main":"main.py"}');
    writeFileSync(join(directory, 'main.py'), 'print("{}")');
    const client = await open();
    const copied = await client.call('plugbridge_draft_plugin', { name: 'copy', from: 'brought' });
    expect(textOf(copied)).toBe('Cannot copy "brought" into the draft "copy": it is untrusted');
    expect(existsSync(join(base, 'own/state/drafts/copy'))).toBe(false);
  });
});
