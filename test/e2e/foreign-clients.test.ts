import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { CLI, startHttp, stdioTarget, usePlace, type Place } from '../helpers/built-cli.ts';
import { hasProgram } from '../helpers/interpreters.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { PROGRAMS, runTool, useNewerNode } from './newer-node.ts';
import { addOddJobs } from './odd-jobs.ts';
import { SAMPLE_CALLS, SAMPLE_NAMES } from './sample-calls.ts';
import { addWorkbench, buildWorkbench } from './workbench.ts';

const found = useNewerNode('the MCP Inspector, mcpdo and @ai-sdk/mcp');
const node = found ?? '';
const hasScripts = HAS_BUBBLEWRAP && hasProgram('python') && hasProgram('bash') && hasProgram('ruby');
beforeAll(async () => void (await buildWorkbench()));

async function useSamples(): Promise<Place> {
  const place = usePlace('vault', 'wikipedia');
  await addWorkbench(place.plugins);
  return place;
}

/** The server runs on the Node.js of the tests; only the clients need a newer one. */
const serverCommand = (place: Place): string[] => ['-e', `PLUGBRIDGE_HOME=${place.own}`, process.execPath, CLI, ...place.options];

describe.skipIf(found === undefined).for(['legacy', 'modern'])('the Inspector in the %s era', { timeout: 60_000 }, (era) => {
  const inspect = (place: Place, args: readonly string[], server = serverCommand(place)) =>
    runTool(node, place, [PROGRAMS.inspector, '--cli', '--protocol-era', era, '--format', 'json', '-q', ...args, ...server]);

  test('lists all tools over stdio and over HTTP; no schema has a portability problem', async () => {
    const place = await useSamples();
    const listed = await inspect(place, ['--method', 'tools/list', '--strict']);
    expect(listed).toMatchObject({ exit: 0 });
    expect(listed.stderr).not.toMatch(/error/i);
    const { tools } = (JSON.parse(listed.stdout) as { result: { tools: { name: string }[] } }).result;
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['plugin_vault_capture', 'plugin_workbench_say']));

    const http = await startHttp(place);
    onTestFinished(() => http.stop());
    const header = ['--header', `Authorization: Bearer ${http.token ?? ''}`];
    const remote = await inspect(place, ['--transport', 'http', ...header, '--method', 'tools/list', '--strict'], [http.url]);
    expect(remote.exit).toBe(0);
    expect((JSON.parse(remote.stdout) as { result: unknown }).result).toMatchObject({ tools });
  });

  test('calls; a tool that fails and a tool that is not there end with exit code 5', async () => {
    const place = await useSamples();
    const call = (name: string, ...args: string[]) => inspect(place, ['--method', 'tools/call', '--tool-name', name, ...args]);
    const said = await call('plugin_workbench_say', '--tool-arg', 'text=hi', 'times=2');
    expect(said.exit).toBe(0);
    expect(JSON.parse(said.stdout)).toMatchObject({ result: { content: [{ type: 'text', text: 'hihi' }] } });
    expect((await call('plugin_workbench_fail')).exit).toBe(5);
    expect((await call('plugin_workbench_nothing')).exit).toBe(5);
  });

  test.skipIf(!hasScripts)('lists and calls scripts in all languages: text, images, links, failures', async () => {
    const place = usePlace(...SAMPLE_NAMES);
    addOddJobs(place.plugins);
    const listed = await inspect(place, ['--method', 'tools/list', '--strict']);
    expect(listed).toMatchObject({ exit: 0 });
    expect((JSON.parse(listed.stdout) as { result: { tools: unknown[] } }).result.tools).toHaveLength(17);
    const call = (name: string, args: Readonly<Record<string, unknown>>) => {
      const given = Object.entries(args).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
      return inspect(place, ['--method', 'tools/call', '--tool-name', name, ...(given.length > 0 ? ['--tool-arg', ...given] : [])]);
    };
    const drawn = await call('plugin_csv-chart_draw', SAMPLE_CALLS['csv-chart'].args);
    expect(drawn.exit).toBe(0);
    expect(JSON.parse(drawn.stdout)).toMatchObject({
      result: {
        structuredContent: SAMPLE_CALLS['csv-chart'].answer,
        content: [{ type: 'text' }, { type: 'image', mimeType: 'image/png' }, { type: 'resource_link', name: 'chart.png' }],
      },
    });
    const scanned = await call('plugin_log-scan_scan', SAMPLE_CALLS['log-scan'].args);
    expect(JSON.parse(scanned.stdout)).toMatchObject({ result: { structuredContent: SAMPLE_CALLS['log-scan'].answer } });
    const failed = await call('plugin_odd-jobs_fail', {});
    expect(failed.exit).toBe(5);
    expect(failed.stdout).toContain('no such row');
  });

  test('mcpdo answers the question about a write', async () => {
    const place = await useSamples();
    const mcpdo = (...args: string[]) => runTool(node, place, [PROGRAMS.mcpdo, '--format', 'json', ...args]);
    onTestFinished(async () => void (await mcpdo('daemon', 'stop')));
    const connected = await mcpdo(
      'connect',
      '--era',
      era,
      '-e',
      `PLUGBRIDGE_HOME=${place.own}`,
      '--',
      process.execPath,
      CLI,
      ...place.options,
    );
    expect(JSON.parse(connected.stdout)).toMatchObject({ protocolEra: era });
    const { name } = JSON.parse(connected.stdout) as { name: string };

    const ask = async (path: string): Promise<{ elicitationId: string; message: string }> => {
      const pending = await mcpdo('--connection', name, 'tools/call', 'plugin_workbench_write', `path:=${path}`, 'text:=hello');
      expect(pending.stdout).toContain('elicitationPending');
      return (JSON.parse(pending.stdout) as { elicitationPending: { elicitationId: string; message: string } }).elicitationPending;
    };
    const answer = (id: string, decision: string) => mcpdo('--connection', name, 'elicitation/respond', id, `decision:=${decision}`);

    const first = await ask('refused.txt');
    expect(first.message).toBe(
      'The plugin "workbench" wants to run "write" and needs your permission\n\nPlugin: workbench\nCommand: write\nCapabilities:\n- write:fs:$ROOT',
    );
    await answer(first.elicitationId, 'no');
    expect(existsSync(join(place.root, 'refused.txt'))).toBe(false);
    const second = await ask('written.txt');
    const done = await answer(second.elicitationId, 'once');
    expect(JSON.parse(done.stdout)).toMatchObject({ content: [{ type: 'text', text: 'written' }] });
    expect(readFileSync(join(place.root, 'written.txt'), 'utf8')).toBe('hello');
  });
});

describe.skipIf(found === undefined)('@ai-sdk/mcp', { timeout: 60_000 }, () => {
  const CALLS = [
    { name: 'plugin_workbench_say', args: { text: 'hi' } },
    { name: 'plugin_workbench_object', args: {} },
    { name: 'plugin_workbench_fail', args: {} },
  ];

  test.for(['stdio', 'http'] as const)('lists and calls over %s', async (transport) => {
    const place = await useSamples();
    const http = transport === 'http' ? await startHttp(place) : undefined;
    if (http) onTestFinished(() => http.stop());
    const target = http?.target ?? stdioTarget(place);
    const ran = await runTool(node, place, [PROGRAMS.aiSdkClient, JSON.stringify(target), JSON.stringify(CALLS)]);
    expect(ran).toMatchObject({ exit: 0 });
    const { server, tools, results } = JSON.parse(ran.stdout) as { server: unknown; tools: string[]; results: unknown[] };
    expect(server).toMatchObject({ name: 'plugbridge' });
    expect(tools).toEqual(expect.arrayContaining(['plugbridge_read_artifact', 'plugin_vault_capture', 'plugin_wikipedia_summary']));
    expect(results).toEqual([
      expect.objectContaining({ content: [{ type: 'text', text: 'hi' }] }),
      expect.objectContaining({ structuredContent: { text: 'häl\nlo', n: [1, { a: null }] } }),
      expect.objectContaining({ isError: true }),
    ]);
  });
});
