import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { verifyJournal } from '../../src/audit/verify.ts';
import { bundleProgram } from '../helpers/bundle.ts';
import { anIntent, useJournal } from '../helpers/journal.ts';
import { useTmp } from '../helpers/tmp.ts';

const writer = join(import.meta.dirname, '../fixtures/audit-writer.ts');

function start(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}
const exited = async (child: ChildProcess): Promise<number | null> => {
  const [code] = await once(child, 'close');
  return typeof code === 'number' ? code : null;
};
const firstLine = async (child: ChildProcess): Promise<void> => {
  if (child.stdout !== null) await once(child.stdout, 'data');
};

test('verifyJournal() finds nothing wrong after kill -9 of a writer, 20 times', async () => {
  const program = await bundleProgram(writer, useTmp());
  const { directory } = useJournal();
  for (let round = 0; round < 20; round++) {
    const child = start(program, [directory, '1000000', round % 2 === 0 ? '0' : '20000']);
    const end = exited(child);
    await firstLine(child);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
    child.kill('SIGKILL');
    await end;
  }
  const found = await verifyJournal({ directory });
  expect(found.problems).toEqual([]);
  expect(found).toMatchObject({ ok: true, chains: 20 });
  expect(found.records).toBeGreaterThan(40);
  for (const call of found.unfinished) expect(call.chainClosed).toBe(false);
  // At most one call of each was between its records.
  expect(found.unfinished.length).toBeLessThanOrEqual(20);
});

test('verifyJournal() finds nothing wrong when three processes wrote at once, and while they do', async () => {
  const program = await bundleProgram(writer, useTmp());
  const { directory } = useJournal();
  const children = [0, 0, 5000].map((padding) => start(program, [directory, '1500', String(padding)]));
  const ends = children.map(exited);
  await Promise.all(children.map(firstLine));
  expect((await verifyJournal({ directory })).problems).toEqual([]);
  expect(await Promise.all(ends)).toEqual([0, 0, 0]);
  const found = await verifyJournal({ directory });
  expect(found).toMatchObject({ ok: true, chains: 3, records: 3 * (2 * 1500 + 2), problems: [], warnings: [], unfinished: [] });
});

const mounts = process.platform === 'linux' && process.getuid?.() === 0;

/** A file system of 64 KiB; undefined where it may not be mounted. */
function useSmallDisk(): string | undefined {
  const directory = join(useTmp(), 'disk');
  mkdirSync(directory);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]);
  if (mounted.status !== 0) return undefined;
  onTestFinished(() => void spawnSync('umount', ['-l', directory]));
  return directory;
}

test.runIf(mounts)('a full disk stops calls, and the journal goes on whole once there is room', async ({ skip }) => {
  const disk = useSmallDisk();
  if (disk === undefined) return skip('a tmpfs cannot be mounted here');
  const { open } = useJournal();
  const directory = join(disk, 'audit');
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(16 * 1024));
  const journal = open({ directory, sync: 'each' });
  const other = open({ directory, sync: 'each' });
  other.event({ event: 'x' });
  let written = 0;
  expect(() => {
    for (; ; written++) journal.intent(anIntent(`c${written}`));
  }).toThrow(
    expect.objectContaining({
      code: 'AUDIT_UNWRITABLE',
      message: expect.stringMatching(/only \d+ of \d+ bytes were written, the disk may be full; no call runs unrecorded$/),
    }),
  );
  expect(written).toBeGreaterThan(5);
  expect(() => journal.intent(anIntent('again'))).toThrow(
    expect.objectContaining({ code: 'AUDIT_UNWRITABLE', message: expect.stringContaining('ENOSPC') }),
  );
  rmSync(ballast);
  // Knows nothing of the fragment, and so writes on its line.
  other.event({ event: 'y' });
  journal.intent(anIntent('after'));
  journal.close();
  other.close();
  const found = await verifyJournal({ directory });
  expect(found.problems).toEqual([]);
  expect(found).toMatchObject({
    ok: true,
    chains: 2,
    warnings: [{ reason: 'a write did not finish here, which the record after it says' }],
  });
  expect(found.unfinished.map(({ callId }) => callId)).toContain('after');
  expect(found.unfinished.map(({ callId }) => callId)).not.toContain('again');
});
