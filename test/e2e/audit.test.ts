import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { makePlace, runCli, startCli, usePlace, type Place } from '../helpers/built-cli.ts';
import { addWorkbench } from './workbench.ts';

interface Line {
  readonly kind: string;
  readonly plugin?: string;
  readonly command?: string;
  readonly outcome?: string;
  readonly time: string;
  readonly callId?: string;
}

const linesOf = (stdout: string): Line[] => stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));

describe('plugbridge audit', { timeout: 60_000 }, () => {
  let place: Place;
  let middle: string;
  beforeAll(async () => {
    place = makePlace('vault');
    await addWorkbench(place.plugins);
    await runCli(place, ['workbench', 'say', 'my secret is out', ...place.options]);
    await runCli(place, ['workbench', 'fail', ...place.options]);
    middle = new Date().toISOString();
    await runCli(place, ['grant', 'vault', 'file_write', ...place.options]);
    await runCli(place, ['vault', 'query', '--limit', '0', 'x', ...place.options]);
  });
  afterAll(() => place.remove());

  const query = async (...args: string[]): Promise<Line[]> => {
    const ran = await runCli(place, ['audit', 'query', '--json', ...args]);
    expect(ran).toMatchObject({ exit: 0, stderr: '' });
    return linesOf(ran.stdout);
  };

  test('records intent and outcome of every call, and what a person did', async () => {
    const lines = (await query()).filter(({ kind }) => kind !== 'open' && kind !== 'close');
    expect(lines.map(({ kind, plugin, command, outcome }) => [kind, plugin, command, outcome])).toEqual([
      ['intent', 'workbench', 'say', undefined],
      ['outcome', 'workbench', 'say', 'ok'],
      ['intent', 'workbench', 'fail', undefined],
      ['outcome', 'workbench', 'fail', 'failed'],
      ['event', 'vault', undefined, undefined],
      ['intent', 'vault', 'query', undefined],
      ['outcome', 'vault', 'query', 'refused'],
    ]);
    expect(lines[0]).toMatchObject({ client: { name: 'cli' }, transport: 'cli', digest: expect.stringMatching(/^sha256:/) });
    const { stdout } = await runCli(place, ['audit']);
    expect(stdout).toMatch(/intent {2}workbench say by cli \(cli\)/);
  });

  test('filters', async () => {
    const commands = (lines: Line[]): (string | undefined)[] => lines.map(({ kind, command }) => `${kind} ${command ?? ''}`.trim());
    expect(commands(await query('--plugin', 'vault'))).toEqual(['event', 'intent query', 'outcome query']);
    expect(commands(await query('--command', 'fail'))).toEqual(['intent fail', 'outcome fail']);
    expect(commands(await query('--outcome', 'failed'))).toEqual(['outcome fail']);
    expect(await query('--client', 'claude-code')).toEqual([]);
    const [intent] = await query('--command', 'say');
    expect(await query('--call', intent?.callId ?? '')).toHaveLength(2);
    expect((await query('--until', middle)).filter(({ kind }) => kind === 'event')).toEqual([]);
    expect((await query('--since', middle)).filter(({ command }) => command === 'say')).toEqual([]);
    expect((await query('--since', '1h')).length).toBeGreaterThan(7);
    expect(await query('--limit', '1')).toHaveLength(1);
  });

  test('follows: shows a call that another process makes', async () => {
    const follower = startCli(place, ['audit', '--follow', '--json', '--command', 'list']);
    onTestFinished(() => follower.stop('SIGKILL'));
    // Whether it has begun to follow shows only in what it says, so calls are made until it says something.
    const heard = follower.heard(/"kind":"outcome".*"command":"list"|"command":"list".*"kind":"outcome"/);
    let done = false;
    void heard.finally(() => (done = true)).catch(() => {});
    while (!done) await runCli(place, ['workbench', 'list', ...place.options]);
    await heard;
    await follower.stop('SIGINT');
    expect(follower.child.exitCode).toBe(0);
    expect(linesOf(follower.said.stdout).every(({ command }) => command === 'list')).toBe(true);
  });

  test('verify finds an intact journal intact, and knows its anchor again', async () => {
    const first = await runCli(place, ['audit', 'verify', '--json']);
    expect(first.exit).toBe(0);
    const { ok, anchor } = JSON.parse(first.stdout) as { ok: boolean; anchor: string };
    expect(ok).toBe(true);
    expect((await runCli(place, ['audit', 'verify', '--expect', anchor])).exit).toBe(0);
  });
});

describe('plugbridge audit verify', { timeout: 60_000 }, () => {
  /** A place with a journal of two calls, and what an operator wrote down about it. */
  async function useJournal(): Promise<{ place: Place; file: string; lines: string[]; anchor: string }> {
    const place = usePlace();
    await addWorkbench(place.plugins);
    await runCli(place, ['workbench', 'object', ...place.options]);
    await runCli(place, ['workbench', 'list', ...place.options]);
    const [name = ''] = readdirSync(place.audit).filter((entry) => entry.endsWith('.jsonl'));
    const file = join(place.audit, name);
    const verified = await runCli(place, ['audit', 'verify', '--json']);
    const { anchor } = JSON.parse(verified.stdout) as { anchor: string };
    return { place, file, lines: readFileSync(file, 'utf8').trimEnd().split('\n'), anchor };
  }

  test.for<[what: string, tamper: (lines: string[]) => string[]]>([
    ['a changed record', (lines) => lines.map((line) => line.replace('"command":"object"', '"command":"subject"'))],
    ['a dropped record', (lines) => lines.toSpliced(1, 1)],
    ['records in another order', ([first = '', second = '', third = '', ...rest]) => [first, third, second, ...rest]],
    ['a repeated record', (lines) => [...lines.slice(0, 2), ...lines.slice(1)]],
  ])('finds %s: exit code 4', async ([, tamper]) => {
    const { place, file, lines } = await useJournal();
    const tampered = tamper(lines);
    expect(tampered).not.toEqual(lines);
    writeFileSync(file, `${tampered.join('\n')}\n`);
    const { exit, stdout } = await runCli(place, ['audit', 'verify', '--json']);
    expect(exit).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false });
    expect((await runCli(place, ['audit', 'verify'])).stdout).toContain('The journal was tampered with');
  });

  test('finds that the newest records are gone, by the anchor: exit code 4', async () => {
    const { place, file, lines, anchor } = await useJournal();
    const head = lines.findLastIndex((line) => line.includes('"kind":"open"'));
    writeFileSync(file, `${lines.slice(0, head).join('\n')}\n`);
    expect((await runCli(place, ['audit', 'verify', '--expect', anchor])).exit).toBe(4);
  });
});
