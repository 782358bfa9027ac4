import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'esbuild';
import { describe, test, vi } from 'vitest';

import { findCgroupHome } from '../../src/executors/sandbox/cgroup.ts';
import { describeSandbox, HAS_BUBBLEWRAP, useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

/** What servers with these process ids have started and is still there. */
const findOwned = (servers: ReadonlySet<number>): number[] =>
  readdirSync('/proc').flatMap((pid) => {
    try {
      const words = `${readFileSync(`/proc/${pid}/cmdline`, 'latin1')}\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`;
      const owner = /PLUGBRIDGE_OWNER[\0=](\d+):\d+/.exec(words)?.[1];
      return /^\d+$/.test(pid) && owner !== undefined && servers.has(Number(owner)) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });

/** Control groups of these servers, whatever the version of the hierarchy. */
const listGroups = (servers: ReadonlySet<number>): string[] => {
  const home = findCgroupHome(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8'));
  return [...new Set([home?.memory, home?.pids])]
    .flatMap((directory) => (directory === undefined ? [] : readdirSync(directory)))
    .filter((name) => [...servers].some((pid) => name.startsWith(`plugbridge-${pid}.`)));
};

async function buildServer(directory: string): Promise<string> {
  const outfile = join(directory, 'server.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../fixtures/sandbox-server.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
  });
  return outfile;
}

describe.skipIf(!HAS_BUBBLEWRAP)('sweep()', () => {
  test('leaves nothing of servers that were killed while starting 60 sandboxes', { timeout: 120_000 }, async ({ expect }) => {
    const outfile = await buildServer(useTmp());
    const servers = new Set<number>();
    for (const waitMs of [0, 1, 3, 6, 12]) {
      const server = spawn(process.execPath, [outfile], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(server.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      server.kill('SIGKILL');
      await once(server, 'exit');
      servers.add(server.pid ?? 0);
    }
    const sandbox = useSandbox();
    const mine = await sandbox.spawn(describeSandbox(['/usr/bin/sleep', '600']));
    const orphans = findOwned(servers);
    const killed = await sandbox.sweep();
    // Tests that run beside this one sweep too, and leave orphans of their own.
    const own = killed.filter((pid) => orphans.includes(pid));
    process.stderr.write(`sweep: ${orphans.length} of 60 were left behind, ${own.length} killed by this sweep\n`);
    await vi.waitFor(() => expect(findOwned(servers)).toEqual([]));
    // The kernel counts the dead in their groups for a moment.
    await vi.waitFor(async () => {
      const again = await sandbox.sweep();
      expect(again.filter((pid) => orphans.includes(pid) || pid === mine.pid)).toEqual([]);
      expect(listGroups(servers)).toEqual([]);
    });
    expect(process.kill(mine.pid, 0)).toBe(true);
    await mine.kill();
  });

  test('leaves nothing of servers whose sandboxes show what only root can reach, nor their temporary directories', async ({ expect }) => {
    if (process.getuid?.() !== 0) return;
    const closed = useTmp();
    const shown = join(closed, 'shown');
    mkdirSync(shown);
    chmodSync(shown, 0o755);
    const outfile = await buildServer(useTmp());
    const servers = new Set<number>();
    for (const waitMs of [0, 4, 9]) {
      const server = spawn(process.execPath, [outfile, 'staged', shown], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(server.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      server.kill('SIGKILL');
      await once(server, 'exit');
      servers.add(server.pid ?? 0);
    }
    const listTemporary = (): string[] =>
      readdirSync(tmpdir()).filter((name) => [...servers].some((pid) => name.startsWith(`plugbridge-${pid}.`)));
    expect(listTemporary()).toHaveLength(3);
    const sandbox = useSandbox();
    await sandbox.sweep();
    await vi.waitFor(async () => {
      await sandbox.sweep();
      expect([findOwned(servers), listTemporary(), listGroups(servers)]).toEqual([[], [], []]);
    });
  });

  test('finds processes of a dead server that ran without a sandbox', async ({ expect }) => {
    const outfile = await buildServer(useTmp());
    const server = spawn(process.execPath, [outfile, 'unboxed'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(server.stdout, 'data');
    const servers = new Set([server.pid ?? 0]);
    while (findOwned(servers).length < 12) await new Promise((resolve) => setTimeout(resolve, 20));
    server.kill('SIGKILL');
    await once(server, 'exit');
    // They would live on for more than an hour: whoever sweeps first ends them.
    const orphans = findOwned(servers);
    const killed = await useSandbox().sweep();
    process.stderr.write(`sweep: ${killed.filter((pid) => orphans.includes(pid)).length} of 12 unisolated killed by this sweep\n`);
    await vi.waitFor(() => expect(findOwned(servers)).toEqual([]));
  });
});
