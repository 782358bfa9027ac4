import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { DRAFT, namesOf, textOf } from '../helpers/authoring-server.ts';
import { runCli, stdioTarget, usePlace } from '../helpers/built-cli.ts';
import { describeWith } from '../helpers/interpreters.ts';
import { connectClient } from '../helpers/mcp-clients.ts';

describeWith('python')('serve --authoring over stdio', () => {
  test.for(['v1', 'pinned'] as const)('a %s client’s proposal becomes a tool by `plugbridge trust` in another process', async (mode) => {
    const place = usePlace();
    const client = await connectClient(mode, stdioTarget(place, '--authoring'));
    onTestFinished(() => client.close());
    expect((await client.call('plugbridge_draft_plugin', DRAFT)).structuredContent).toMatchObject({ status: 'passing' });
    const proposed = await client.call('plugbridge_propose_plugin', { name: 'doubler' });
    expect(textOf(proposed)).toContain('plugbridge trust doubler');
    const listed = await runCli(place, ['list', '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ name: 'doubler', system: 'kaizen', status: 'untrusted', tools: [] }]);
    expect(await runCli(place, ['call', 'doubler', 'run', '--arg', 'n=1'])).toMatchObject({ exit: 3 });

    const changed = client.nextToolsChanged();
    expect(await runCli(place, ['trust', 'doubler'])).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining('Trusted: doubler') as string,
    });
    await changed;
    expect(await namesOf(client)).toContain('plugin_doubler_run');
    expect((await client.call('plugin_doubler_run', { n: 4 })).structuredContent).toEqual({ double: 8 });
    expect(await runCli(place, ['test', 'doubler'])).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^ok .*\n1 of 1 tests passed\n$/) as string,
    });
    expect(await runCli(place, ['validate', join(place.own, 'data/proposals/doubler')])).toMatchObject({ exit: 0 });
  });

  test('without the option its tools are absent', async () => {
    const place = usePlace();
    const client = await connectClient('pinned', stdioTarget(place));
    onTestFinished(() => client.close());
    expect((await namesOf(client)).filter((name) => name.endsWith('_plugin'))).toEqual([]);
    expect(existsSync(join(place.own, 'state/drafts'))).toBe(false);
  });
});
