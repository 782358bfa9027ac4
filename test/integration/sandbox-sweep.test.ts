import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';
import { describe, test, vi } from 'vitest';

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
    process.stderr.write(`sweep: ${orphans.length} of 60 were left behind, ${killed.length} killed\n`);
    await vi.waitFor(() => expect(findOwned(servers)).toEqual([]));
    expect(process.kill(mine.pid, 0)).toBe(true);
    expect(await sandbox.sweep()).toEqual([]);
    const groups = readdirSync('/sys/fs/cgroup/pids', { withFileTypes: true }).map(({ name }) => name);
    expect(groups.filter((name) => [...servers].some((pid) => name.startsWith(`plugbridge-${pid}.`)))).toEqual([]);
    await mine.kill();
  });

  test('finds processes of a dead server that ran without a sandbox', async ({ expect }) => {
    const outfile = await buildServer(useTmp());
    const server = spawn(process.execPath, [outfile, 'unboxed'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(server.stdout, 'data');
    const servers = new Set([server.pid ?? 0]);
    while (findOwned(servers).length < 12) await new Promise((resolve) => setTimeout(resolve, 20));
    server.kill('SIGKILL');
    await once(server, 'exit');
    const sandbox = useSandbox();
    expect(await sandbox.sweep()).toHaveLength(12);
    await vi.waitFor(() => expect(findOwned(servers)).toEqual([]));
  });
});
