import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { openFiles } from '../helpers/file-access.ts';
import { useTmp } from '../helpers/tmp.ts';

const READ_ROUNDS = 20_000;
/** Fewer, for a disk makes each of them wait where the attacker truncates and renames. */
const WRITE_ROUNDS = 2_000;
const MAX_MS = 20_000;

/** What an attacker with a shell in the root does, over and over, as fast as it can, in a process of its own. */
const ATTACKS = {
  /** `f` is by turns a file of its own and a symlink to the secret. */
  flipFile: `
    fs.symlinkSync(base + '/outside/secret', root + '/tmp-link'); fs.renameSync(root + '/tmp-link', root + '/f');
    fs.writeFileSync(root + '/tmp-file', 'harmless'); fs.renameSync(root + '/tmp-file', root + '/f');`,
  /** `dir` is by turns a directory and a symlink to the one outside. */
  swapDirectory: `
    fs.renameSync(root + '/dir', root + '/kept'); fs.symlinkSync(base + '/outside', root + '/dir');
    fs.unlinkSync(root + '/dir'); fs.renameSync(root + '/kept', root + '/dir');`,
  /** The names that are written come and go as symlinks, to the secret and to nothing yet. */
  plantLink: `
    for (const name of ['secret', 'planted']) {
      fs.symlinkSync(base + '/outside/' + name, root + '/tmp-' + name); fs.renameSync(root + '/tmp-' + name, root + '/dir/' + name);
      fs.unlinkSync(root + '/dir/' + name);
    }`,
} as const;

/** Puts things back when the other side made a directory in between. */
const RECOVER = `
  for (const name of ['tmp-link', 'tmp-secret', 'tmp-planted']) fs.rmSync(root + '/' + name, { force: true });
  if (fs.existsSync(root + '/kept')) { fs.rmSync(root + '/dir', { recursive: true, force: true }); fs.renameSync(root + '/kept', root + '/dir'); }`;

async function useAttack(name: keyof typeof ATTACKS) {
  const base = useTmp();
  const root = join(base, 'root');
  mkdirSync(join(root, 'dir'), { recursive: true });
  mkdirSync(join(base, 'outside'));
  writeFileSync(join(base, 'outside/secret'), 'SECRET');
  writeFileSync(join(root, 'dir/secret'), 'harmless');
  writeFileSync(join(root, 'f'), 'harmless');
  const prelude = `const fs = require('node:fs'); const [base, root] = process.argv.slice(1); process.stdout.write('.');`;
  const attack = `for (;;) { try { ${ATTACKS[name]} } catch { try { ${RECOVER} } catch {} } }`;
  const attacker = spawn(process.execPath, ['-e', prelude + attack, base, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => stop(attacker));
  await once(attacker.stdout, 'data');
  return { base, root, attacker, files: openFiles(root) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Repeats until enough rounds were made and every one of the outcomes was seen, so that the race is known to have been on. */
function repeat(minRounds: number, seen: () => boolean, round: () => void): number {
  const deadline = Date.now() + MAX_MS;
  let rounds = 0;
  while ((rounds < minRounds || !seen()) && Date.now() < deadline) {
    round();
    rounds += 1;
  }
  return rounds;
}

test.runIf(process.platform === 'linux')('row 6: reading a file that flips to a symlink never leaks', async () => {
  const { files } = await useAttack('flipFile');
  const seen = new Map<string, number>();
  const rounds = repeat(
    READ_ROUNDS,
    () => seen.has('harmless') && seen.has('outside'),
    () => {
      const result = files.readText('f');
      const outcome = result.ok ? result.text : result.why;
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    },
  );
  expect(rounds).toBeGreaterThanOrEqual(READ_ROUNDS);
  expect(seen.get('SECRET')).toBeUndefined();
  expect([...seen.keys()].filter((key) => !['harmless', 'outside', 'missing'].includes(key))).toEqual([]);
  expect([seen.has('harmless'), seen.has('outside')]).toEqual([true, true]);
});

test.runIf(process.platform === 'linux')('row 7: calls under a directory that swaps with a symlink never get out', async () => {
  const { base, files, attacker } = await useAttack('swapDirectory');
  const seen = new Set<string>();
  const note = (result: { ok: true } | { ok: false; why: string }) => seen.add(result.ok ? 'ok' : result.why);
  repeat(
    WRITE_ROUNDS,
    () => seen.has('ok') && seen.has('outside'),
    () => {
      const read = files.readText('dir/secret');
      if (read.ok && read.text === 'SECRET') seen.add('LEAK');
      note(files.write('dir/secret', 'harmless'));
      note(files.append('dir/new', ''));
      note(files.createDirectory('dir/made'));
    },
  );
  expect(attacker.exitCode, 'the attacker must live through the test').toBeNull();
  await stop(attacker);
  expect(seen.has('LEAK')).toBe(false);
  expect([seen.has('ok'), seen.has('outside')]).toEqual([true, true]);
  expect(readdirSync(join(base, 'outside'))).toEqual(['secret']);
  expect(readFileSync(join(base, 'outside/secret'), 'utf8')).toBe('SECRET');
});

test.runIf(process.platform === 'linux')('rows 5 and 7: a symlink planted under the name that is written is never followed', async () => {
  const { base, files, attacker } = await useAttack('plantLink');
  const seen = new Set<string>();
  repeat(
    WRITE_ROUNDS,
    () => seen.has('ok') && seen.has('symlink'),
    () => {
      for (const name of ['dir/secret', 'dir/planted']) {
        const result = files.write(name, 'overwritten');
        seen.add(result.ok ? 'ok' : result.why);
      }
    },
  );
  expect(attacker.exitCode, 'the attacker must live through the test').toBeNull();
  await stop(attacker);
  expect([seen.has('ok'), seen.has('symlink')]).toEqual([true, true]);
  expect(readdirSync(join(base, 'outside'))).toEqual(['secret']);
  expect(readFileSync(join(base, 'outside/secret'), 'utf8')).toBe('SECRET');
});
