import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { CLI, runCli, runProgram, startCli, stdioTarget, usePlace, type Place, type Started } from '../helpers/built-cli.ts';
import { connectClient } from '../helpers/mcp-clients.ts';
import { findByCommand, listDescendants, stillAlive, type SeenProcess } from '../helpers/process-tree.ts';
import { addWorkbench, buildWorkbench } from './workbench.ts';

const isRoot = process.getuid?.() === 0;
const canMount = isRoot && process.platform === 'linux';

beforeAll(async () => void (await buildWorkbench()));

const textOf = (result: { content: readonly { text?: string }[] }): string => result.content.map(({ text }) => text ?? '').join('\n');

/** A server over stdio that is in the middle of three endless calls. */
async function startSpinning(place: Place): Promise<Started> {
  const started = startCli(place, place.options);
  const send = (message: object): unknown => started.child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  send({
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'killer', version: '1' } },
  });
  send({ method: 'notifications/initialized' });
  for (const id of [1, 2, 3])
    send({ id, method: 'tools/call', params: { name: 'plugin_workbench_spin', arguments: {}, _meta: { progressToken: `spin-${id}` } } });
  for (const id of [1, 2, 3]) await started.heard(new RegExp(`"progressToken":"spin-${id}"`));
  return started;
}

async function expectGone(processes: readonly SeenProcess[]): Promise<void> {
  await expect.poll(() => stillAlive(processes).map(({ command }) => command), { timeout: 10_000 }).toEqual([]);
}

describe('kill -9 in the middle of calls', () => {
  test('leaves no process and an intact journal, 20 times', { timeout: 600_000 }, async () => {
    const place = usePlace();
    await addWorkbench(place.plugins);
    for (let round = 0; round < 20; round++) {
      const started = await startSpinning(place);
      const children = listDescendants(started.pid);
      expect(children.length).toBeGreaterThanOrEqual(3);
      await started.stop('SIGKILL');
      await expectGone(children);
    }
    expect(findByCommand(place.base)).toEqual([]);
    const verified = await runCli(place, ['audit', 'verify', '--json']);
    expect(verified.exit).toBe(0);
    const found = JSON.parse(verified.stdout) as { ok: boolean; problems: unknown[]; unfinished: unknown[] };
    expect(found).toMatchObject({ ok: true, problems: [] });
    expect(found.unfinished).toHaveLength(60);
    expect((await runCli(place, ['workbench', 'object', ...place.options])).exit).toBe(0);
  });

  test.for(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s ends the server and its calls in order', { timeout: 60_000 }, async (signal) => {
    const place = usePlace();
    await addWorkbench(place.plugins);
    const started = await startSpinning(place);
    const children = listDescendants(started.pid);
    await started.stop(signal);
    expect(started.child.exitCode).toBe(0);
    await expectGone(children);
    const found = JSON.parse((await runCli(place, ['audit', 'verify', '--json'])).stdout) as { ok: boolean; unfinished: unknown[] };
    expect(found).toMatchObject({ ok: true, unfinished: [] });
  });

  test('the end of the input ends the server and its calls', { timeout: 60_000 }, async () => {
    const place = usePlace();
    await addWorkbench(place.plugins);
    const started = await startSpinning(place);
    const children = listDescendants(started.pid);
    started.child.stdin?.end();
    await started.ended;
    expect(started.child.exitCode).toBe(0);
    await expectGone(children);
  });
});

describe.skipIf(!canMount)('disks (skipped unless root on Linux, who can mount)', () => {
  function mountTmpfs(directory: string, options: string): void {
    mkdirSync(directory, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'plugbridge-test', directory]);
    onTestFinished(() => void execFileSync('umount', ['-l', directory]));
  }

  function fill(directory: string): void {
    for (const size of [65_536, 4_096, 512]) {
      for (let i = 0; ; i++) {
        try {
          writeFileSync(join(directory, `fill-${size}-${i}`), Buffer.alloc(size));
        } catch (error) {
          expect(error).toMatchObject({ code: 'ENOSPC' });
          break;
        }
      }
    }
  }

  test('a journal without room stops calls with words that say so; room again lets them go on', { timeout: 60_000 }, async () => {
    const place = usePlace();
    await addWorkbench(place.plugins);
    mountTmpfs(place.audit, 'size=1m,mode=0700');
    const client = await connectClient('pinned', stdioTarget(place));
    onTestFinished(() => client.close());
    const say = (text: string) => client.call('plugin_workbench_say', { text });
    expect(textOf(await say('before'))).toBe('before');

    fill(place.audit);
    // The last page of the journal’s file has room for a few records more.
    let refused = await say('x');
    for (let i = 0; i < 30 && refused.isError !== true; i++) refused = await say('x');
    expect(refused.isError).toBe(true);
    expect((await say('x')).isError).toBe(true);
    expect(textOf(refused)).toMatch(
      /^AUDIT_UNWRITABLE: Cannot write the audit record to ".*": .*(?:ENOSPC|may be full).*; no call runs unrecorded$/,
    );

    for (const name of readdirSync(place.audit)) if (name.startsWith('fill-')) rmSync(join(place.audit, name));
    expect(textOf(await say('after'))).toBe('after');
    const verified = await runCli(place, ['audit', 'verify', '--json']);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, problems: [] });
  });

  test('a read-only cache costs time only', { timeout: 60_000 }, async () => {
    const place = usePlace();
    await addWorkbench(place.plugins);
    mountTmpfs(join(place.own, 'cache'), 'ro');
    expect(await runCli(place, ['workbench', 'say', '--text', 'x', ...place.options])).toEqual({ exit: 0, stdout: 'x\n', stderr: '' });
    const doctor = await runCli(place, ['doctor', '--json', ...place.options]);
    const { checks } = JSON.parse(doctor.stdout) as { checks: unknown[] };
    expect(checks).toContainEqual(expect.objectContaining({ area: 'files', subject: 'cache', state: 'warning' }));
  });
});

test('doctor reports a plugin directory that cannot be read, and the other plugins are served', { timeout: 60_000 }, async () => {
  const place = usePlace('vault');
  const locked = join(place.base, 'locked');
  mkdirSync(locked);
  chmodSync(locked, 0o000);
  const args = [CLI, 'doctor', '--json', ...place.options, '--plugins', locked];
  // Root reads everything, so it becomes somebody else.
  const drop = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];
  for (const directory of [place.base, place.own, place.home, place.root]) if (isRoot) chmodSync(directory, 0o777);
  const ran = await runProgram(isRoot ? 'setpriv' : process.execPath, [...(isRoot ? drop : []), ...args], {
    environment: place.environment,
    cwd: place.root,
  });
  const { healthy, checks } = JSON.parse(ran.stdout) as { healthy: boolean; checks: { subject: string; state: string; detail: string }[] };
  expect({ exit: ran.exit, healthy }).toEqual({ exit: 1, healthy: false });
  expect(checks).toContainEqual(expect.objectContaining({ subject: 'search', state: 'problem', detail: expect.stringContaining(locked) }));
  expect(checks).toContainEqual(expect.objectContaining({ subject: 'vault', state: 'ok' }));
});

test('without HOME and without a directory of its own the server still serves', { timeout: 60_000 }, async () => {
  const place = usePlace('vault');
  const { HOME: _home, ...environment } = place.environment;
  const client = await connectClient('v1', stdioTarget({ ...place, environment }));
  onTestFinished(() => client.close());
  expect((await client.listTools()).map(({ name }) => name)).toContain('plugin_vault_status');
  expect(existsSync(place.audit)).toBe(true);
});
