import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import type { Outcome } from '../../src/dispatch/outcome.ts';
import type { Host } from '../../src/host.ts';
import { callCommand } from './host-calls.ts';
import { SECRET, SHOWN_IN_TMP, useHostilePlaces, type HostilePlace, type HostilePlugin } from './hostile-place.ts';
import { findByCommand } from './process-tree.ts';
import { HAS_BUBBLEWRAP } from './sandbox.ts';
import { hasInterpreter } from './script-plugins.ts';

/** One attack: what it tries, and what it must get. */
export interface HostileRow {
  /** What it tries. */
  readonly tries: string;
  /** The rows of sandbox.md §D that it belongs to. */
  readonly of: readonly number[];
  readonly plugin: HostilePlugin;
  readonly case: string;
  readonly args?: (place: HostilePlace) => Readonly<Record<string, unknown>>;
  /** What it gets: the kind of outcome, `ok` unless said otherwise; `any` where the kernel’s timing decides. */
  readonly gets?: Outcome['kind'] | 'any';
  readonly message?: RegExp;
  /** How its process ended, as the audit tells it. */
  readonly exit: RegExp;
  /** How many attempts it must have made and been refused, for those that report them. */
  readonly attempts?: number;
  /** Puts the place in order before a call that an earlier one has spoilt it for. */
  readonly before?: (place: HostilePlace) => void;
  /** Whether any of its attempts may succeed; what did is for `holds` to judge. */
  readonly reaches?: 'nothing' | 'some';
  /** What else must hold of its answer. */
  readonly holds?: (outcome: Outcome, place: HostilePlace) => void;
}

const MODES = ['cold', 'pooled', 'repeated'] as const;
type Mode = (typeof MODES)[number];

/**
 * Runs every row in three modes: cold; in an interpreter that waited for the call; and twice in a row. After each the host
 * answers a harmless call in a clean place, nothing of it runs, nothing was written, and the audit says what happened.
 */
export function describeHostile(title: string, rows: readonly HostileRow[]): void {
  describe.skipIf(!HAS_BUBBLEWRAP)(title, () => {
    const placesOf = useHostilePlaces();
    const cells = rows
      .filter(({ plugin }) => hasInterpreter(languageOf(plugin)))
      .flatMap((row) => MODES.map((mode): readonly [string, Mode, HostileRow] => [row.tries, mode, row]));
    test.for(cells)('%s · %s', async ([, mode, row]) => {
      await runRow(placesOf()[mode === 'cold' ? 'cold' : 'pooled'], row, mode);
    });

    test('after all of them, closing the host leaves no process of its own', async () => {
      for (const { host, base } of Object.values(placesOf())) {
        await host.close();
        expect(findByCommand(base).map(({ command }) => command)).toEqual([]);
      }
    });
  });
}

const languageOf = (plugin: HostilePlugin): 'python' | 'node' | 'bash' | 'ruby' => plugin.split('-')[0] as 'python';

async function runRow(place: HostilePlace, row: HostileRow, mode: Mode): Promise<void> {
  const { host } = place;
  const marker = `98765.${Math.floor(Math.random() * 1e12)}`;
  const before = takeStock(place);
  const args = { case: row.case, marker, secret: SECRET, ...row.args?.(place) };
  for (let count = mode === 'repeated' ? 2 : 1; count > 0; count -= 1) {
    row.before?.(place);
    const waiting = mode === 'pooled' ? await prestart(place, row.plugin) : [];
    const outcome = await callCommand(host, { plugin: row.plugin, command: 'go', args });
    expectOutcome(outcome, row, place);
    await expectAudited(host, outcome, row);
    if (mode === 'pooled') await expect.poll(() => waiting.filter((pid) => !isOf(place, row.plugin, pid))).not.toEqual([]);
  }
  const harmless = await callCommand(host, { plugin: 'harmless', command: 'run', args: { hello: 'again' } });
  expect(harmless).toMatchObject({ kind: 'ok', structured: { echo: { hello: 'again' }, leftovers: SHOWN_IN_TMP } });
  await expect.poll(() => findByCommand(marker)).toEqual([]);
  if (mode === 'cold') await expect.poll(() => findByCommand(join(place.plugins, '')).map(({ command }) => command)).toEqual([]);
  expect(takeStock(place)).toEqual(before);
  expect(findStrays(marker)).toEqual([]);
  expect(place.intrusions.splice(0)).toEqual([]);
}

/** Makes an interpreter of the plugin wait, by a call that does nothing, and gives its processes. */
async function prestart(place: HostilePlace, plugin: HostilePlugin): Promise<number[]> {
  const outcome = await callCommand(place.host, { plugin, command: 'go', args: { case: 'none' } });
  expect(outcome).toMatchObject({ kind: 'ok', structured: { ok: true } });
  // The process of that call is on its way out and the one that waits is on its way in: both are done when nothing changes.
  let seen = '';
  const isSettled = (): boolean => {
    const before = seen;
    seen = findOf(place, plugin)
      .map(({ pid }) => pid)
      .join();
    return seen !== '' && seen === before;
  };
  await expect.poll(isSettled, { timeout: 10_000, interval: 60 }).toBe(true);
  return seen.split(',').map(Number);
}

const isOf = (place: HostilePlace, plugin: string, pid: number): boolean => findOf(place, plugin).some((one) => one.pid === pid);

const findOf = (place: HostilePlace, plugin: string) => findByCommand(join(place.plugins, plugin, 'main.'));

function expectOutcome(outcome: Outcome, row: HostileRow, place: HostilePlace): void {
  const shown = { kind: outcome.kind, message: outcome.error?.message ?? '' };
  expect(shown).toEqual({
    kind: row.gets === 'any' ? outcome.kind : (row.gets ?? 'ok'),
    message: expect.stringMatching(row.message ?? /^$/),
  });
  expect(outcome.tier).toMatch(/^bwrap\+seccomp/);
  expect(JSON.stringify([outcome.content, outcome.structured, outcome.logs])).not.toContain(SECRET);
  const { reached, refused } = (outcome.structured ?? {}) as { reached?: unknown; refused?: object };
  if (reached !== undefined && row.reaches !== 'some') expect(reached).toEqual(Array.isArray(reached) ? [] : {});
  if (row.attempts !== undefined) expect(Object.keys(refused ?? {}).length).toBeGreaterThanOrEqual(row.attempts);
  row.holds?.(outcome, place);
}

/** The last call in the journal is this one, with what it was allowed before and what came of it. */
async function expectAudited(host: Host, outcome: Outcome, row: HostileRow): Promise<void> {
  const directory = join(host.own.state, 'audit');
  const read = () => {
    const texts = readdirSync(directory)
      .filter((name) => name.endsWith('.jsonl'))
      .toSorted()
      .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'));
    return texts.filter((text) => text.startsWith('{')).map((text) => JSON.parse(text) as Record<string, unknown>);
  };
  await expect.poll(() => read().findLast((record) => record['kind'] === 'outcome')?.['plugin']).toBe(row.plugin);
  const records = read();
  const ended = records.findLast((record) => record['kind'] === 'outcome') ?? {};
  expect(ended).toMatchObject({ plugin: row.plugin, outcome: outcome.kind, tier: outcome.tier, exit: expect.stringMatching(row.exit) });
  if (outcome.error) expect(ended['error']).toBe(outcome.error.code);
  expect(records.findLast((record) => record['kind'] === 'intent')).toMatchObject({ callId: ended['callId'], plugin: row.plugin });
}

/** Everything that must stay as it is, by path: what it is, and a hash of what is in it. */
function takeStock({ base }: HostilePlace): Record<string, string> {
  const stock: Record<string, string> = {};
  const visit = (path: string): void => {
    const stat = lstatSync(path);
    const mode = (stat.mode & 0o777).toString(8);
    if (stat.isDirectory()) {
      stock[path] = `directory ${mode}`;
      for (const name of readdirSync(path)) visit(join(path, name));
    } else if (stat.isSymbolicLink()) stock[path] = `link to ${readlinkSync(path)}`;
    else if (stat.isFile()) stock[path] = `${mode} ${stat.nlink} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
    else stock[path] = `special ${mode}`;
  };
  for (const name of ['outside', 'home', 'root', 'plugins']) visit(join(base, name));
  for (const name of ['config', 'state/token', 'data/plugin-data/neighbour']) visit(join(base, 'own', name));
  stock['base'] = readdirSync(base).toSorted().join();
  return stock;
}

/** Files that carry the word of a call, where a script could hope to write. */
function findStrays(marker: string): string[] {
  return [
    '/',
    '/usr',
    '/usr/lib',
    '/usr/local/bin',
    '/etc',
    '/var',
    '/var/tmp',
    '/home',
    '/run',
    '/tmp',
    '/dev',
    '/dev/shm',
    homedir(),
  ].flatMap((directory) => tryList(directory).filter((name) => name.includes(marker)));
}

function tryList(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
