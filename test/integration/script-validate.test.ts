import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { runNew } from '../../src/commands/new.ts';
import { runTest } from '../../src/commands/test.ts';
import { runValidate } from '../../src/commands/validate.ts';
import { LANGUAGES, type Language } from '../../src/manifest/plugin.ts';
import { PLUGINS } from '../helpers/guest.ts';
import { makeOutput, useScriptHost } from '../helpers/script-host.ts';
import { useTmp } from '../helpers/tmp.ts';

interface ValidationJson {
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly runs: readonly {
    readonly source: string;
    readonly command: string;
    readonly status: string;
    readonly reason?: string;
    readonly warnings: readonly string[];
    readonly run?: {
      readonly preview: string;
      readonly log: readonly string[];
      readonly artifacts: readonly { name: string; path: string }[];
    };
  }[];
}

const SIGNAL = new AbortController().signal;

async function validate(base: string, directory: string, { run = true } = {}): Promise<{ exit: number; json: ValidationJson }> {
  const output = makeOutput();
  const exit = await runValidate(useScriptHost(base), { directory, run, json: true, output, signal: SIGNAL });
  return { exit, json: JSON.parse(output.text()) as ValidationJson };
}

/** A plugin in Python, with its manifest and files. */
function writePlugin(base: string, code: string, manifest: Record<string, unknown> = {}, files: Record<string, string> = {}): string {
  const directory = join(base, 'plugins', 'made');
  const all = {
    'plugin.json': JSON.stringify({ name: 'made', description: 'Made', language: 'python', main: 'main.py', ...manifest }),
    'main.py': code,
    ...files,
  };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(join(directory, file, '..'), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  return directory;
}

async function begin(base: string, language: Language): Promise<string> {
  const output = makeOutput();
  await runNew({ system: 'kaizen', name: `new-${language}`, language, dir: join(base, 'plugins'), json: true, output });
  return (JSON.parse(output.text()) as { directory: string }).directory;
}

describe('plugbridge new', () => {
  test.for(LANGUAGES)('makes a plugin in %s that passes validate and its own tests', async (language) => {
    const base = useTmp();
    const directory = await begin(base, language);
    const { exit, json } = await validate(base, directory);
    expect(json).toMatchObject({ ok: true, problems: [] });
    expect(json.runs.map(({ source, status }) => `${source} ${status}`)).toEqual(['tests/empty-name.json ok', 'tests/example.json ok']);
    expect(json.runs[1]?.run).toMatchObject({ log: ['greeting one person'] });
    expect(exit).toBe(0);

    const output = makeOutput();
    const host = useScriptHost(base, { plugins: [join(base, 'plugins')] });
    expect(await runTest(host, { plugin: `new-${language}`, json: false, output, signal: SIGNAL })).toBe(0);
    expect(output.text()).toMatch(
      /ok +run \(tests\/empty-name\.json\) \d+ ms: .*\nok +run \(tests\/example\.json\) \d+ ms: .*Hello, Ada!.*\n2 of 2 tests passed$/,
    );
  });

  test('refuses a directory that is there, and what it does not know', async () => {
    const base = useTmp();
    const directory = await begin(base, 'python');
    const before = readFileSync(join(directory, 'main.py'), 'utf8');
    const again =
      (over: object): (() => Promise<number>) =>
      () =>
        Promise.resolve().then(() =>
          runNew({
            system: 'kaizen',
            name: 'new-python',
            language: 'ruby',
            dir: join(base, 'plugins'),
            json: false,
            output: makeOutput(),
            ...over,
          }),
        );
    await expect(again({})).rejects.toThrow(`Cannot begin the plugin "new-python": "${directory}" is there already`);
    await expect(again({ system: 'agentzero' })).rejects.toThrow(
      'there is nothing to begin with for the system "agentzero", wanted is kaizen',
    );
    await expect(again({ name: '../x' })).rejects.toThrow('the name must be 1 to 64 letters');
    await expect(again({ language: 'perl' })).rejects.toThrow('the language is "perl", wanted is python, node, typescript, bash, ruby');
    expect(readdirSync(join(base, 'plugins'))).toEqual(['new-python']);
    expect(readFileSync(join(directory, 'main.py'), 'utf8')).toBe(before);
  });
});

describe('plugbridge validate', () => {
  test('says where the syntax is wrong, and runs nothing', async () => {
    const base = useTmp();
    const { exit, json } = await validate(base, writePlugin(base, 'import sys\nprint("x"\n'));
    expect(exit).toBe(1);
    expect(json.problems).toEqual([expect.stringMatching(/main\.py:2/)]);
    expect(json.runs).toEqual([]);
  });

  test('runs every command with arguments from its schema, and tells what came of it', async () => {
    const base = useTmp();
    const code = [
      'import json, os, sys',
      'arguments = json.load(sys.stdin)',
      'open("out.txt", "w").write("kept")',
      'print("noted", file=sys.stderr)',
      'print(json.dumps({"got": arguments, "files": ["out.txt"]}))',
    ].join('\n');
    const parameters = [
      { name: 'level', type: 'integer', required: true, enum: [7, 8] },
      { name: 'extra', type: 'string' },
    ];
    const { exit, json } = await validate(base, writePlugin(base, code, { parameters }));
    expect(json.runs).toMatchObject([
      { source: 'derived', command: 'run', status: 'ok', run: { arguments: { level: 7 }, log: ['noted'] } },
    ]);
    const [kept] = json.runs[0]?.run?.artifacts ?? [];
    expect(kept).toMatchObject({ name: 'out.txt' });
    expect(readFileSync(kept?.path ?? '', 'utf8')).toBe('kept');
    expect(exit).toBe(0);
    // What a trial keeps is not kept.
    expect(readdirSync(join(base, 'own/state/trials'))).toEqual([]);
    expect(existsSync(join(base, 'own/data/plugin-data'))).toBe(false);
  });

  test('takes a crash for a problem, and an answer that says no for a warning', async () => {
    const base = useTmp();
    const crashed = await validate(base, writePlugin(base, 'raise KeyError("broken")\n'));
    expect(crashed).toMatchObject({
      exit: 1,
      json: { ok: false, runs: [{ status: 'failed', reason: expect.stringContaining('broken') as string }] },
    });
    const answered = await validate(base, writePlugin(base, 'print(\'{"error": "no such file"}\')\n'));
    expect(answered).toMatchObject({ exit: 0, json: { ok: true, runs: [{ status: 'ok' }] } });
    expect(answered.json.runs[0]?.warnings).toEqual([expect.stringContaining('add a test')]);
  });

  test('reports what needs a grant, and asks and grants nothing', async () => {
    const base = useTmp();
    const directory = writePlugin(base, 'print("{}")\n', { capabilities: ['write:fs:$ROOT/out'] }, { 'tests/a.json': '{}' });
    const { exit, json } = await validate(base, directory);
    expect(json.runs).toMatchObject([
      { source: 'tests/a.json', status: 'not-run', reason: expect.stringContaining('write:fs:$ROOT/out') as string },
    ]);
    expect(json.runs[0]?.reason).toMatch(/^needs .*plugbridge grant/s);
    expect(exit).toBe(0);
    expect(existsSync(join(base, 'own/state/grants.json'))).toBe(false);
  });

  test('--no-run runs nothing', async () => {
    const base = useTmp();
    const { exit, json } = await validate(base, writePlugin(base, 'raise SystemExit(1)\n'), { run: false });
    expect({ exit, runs: json.runs }).toEqual({ exit: 0, runs: [] });
  });

  test('names tests that cannot be read, and what a test finds different', async () => {
    const base = useTmp();
    const files = {
      'tests/a.json': '{"expect":{"x":1},"files":["chart.png"]}',
      'tests/b.json': '{\n"expct":1}',
      'tests/c.json': '{"timeoutMs":300,"arguments":{"wait":true}}',
    };
    const code = 'import json,sys,time\nif json.load(sys.stdin): time.sleep(30)\nprint(\'{"x": 2}\')\n';
    const { exit, json } = await validate(base, writePlugin(base, code, { parameters: [{ name: 'wait', type: 'boolean' }] }, files));
    expect(json.problems).toEqual(['tests/b.json:1: "expct" is unknown: wanted are command, arguments, expect, files, error, timeoutMs']);
    expect(json.runs).toMatchObject([
      {
        source: 'tests/a.json',
        status: 'failed',
        differences: [
          { path: '/x', expected: '1', found: '2' },
          { path: '/files', expected: 'chart.png' },
        ],
      },
      { source: 'tests/c.json', status: 'failed', reason: 'it took longer than timeoutMs, 300 ms' },
    ]);
    expect(exit).toBe(1);
  });

  test('takes WASM plugins too, and runs those commands only that change nothing', async () => {
    const base = useTmp();
    cpSync(join(PLUGINS, 'vault'), join(base, 'plugins/vault'), { recursive: true });
    const { exit, json } = await validate(base, join(base, 'plugins/vault'));
    const capture = json.runs.find(({ command }) => command === 'capture');
    expect(capture).toMatchObject({ status: 'not-run', reason: expect.stringContaining('may change something') as string });
    expect(json.runs.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(exit).toBe(0);
  });
});

test('plugbridge test says how to add a test to a plugin that has none', async () => {
  const base = useTmp();
  writePlugin(base, 'print("{}")\n');
  const output = makeOutput();
  expect(
    await runTest(useScriptHost(base, { plugins: [join(base, 'plugins')] }), { plugin: 'made', json: false, output, signal: SIGNAL }),
  ).toBe(1);
  expect(output.text()).toContain(`"made" has no tests. Add one, such as ${join(base, 'plugins/made/tests/example.json')}:`);
});

test('the audit tells of trial runs as of every call', async () => {
  const base = useTmp();
  await validate(base, writePlugin(base, 'print("{}")\n'));
  const [day = ''] = readdirSync(join(base, 'own/state/audit')).filter((name) => name.endsWith('.jsonl'));
  const records = readFileSync(join(base, 'own/state/audit', day), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(records.filter(({ kind }) => kind === 'intent' || kind === 'outcome')).toMatchObject([
    { kind: 'intent', plugin: 'made', client: { name: 'cli' } },
    { kind: 'outcome', plugin: 'made', outcome: 'ok' },
  ]);
});
