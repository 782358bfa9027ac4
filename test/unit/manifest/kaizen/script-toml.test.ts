import { describe, expect, test } from 'vitest';

import { tryRecognise, type System } from '../../../../src/manifest/formats.ts';
import { PluginSchema, SCRIPT_LIMITS } from '../../../../src/manifest/plugin.ts';
import { pluginOf, problemsOf, readDirectory, warningsOf, writeFiles } from '../../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../../helpers/tmp.ts';

const HEAD = `[plugin]
name = "scan"
version = "1.0.0"
description = "Scans logs"
runtime = "bash"
`;
const COMMANDS = `
[[commands]]
name = "count"
description = "Counts"
input = { text = "string", action = "string?" }
permissions = []

[[commands]]
name = "file"
description = "Counts in a file"
input = { path = "string" }
permissions = ["file_read"]
`;
const write = (toml: string, files: Readonly<Record<string, string>> = { 'main.sh': '' }): string =>
  writeFiles(useTmp(), { 'PLUGIN.toml': toml, ...files });

test('readPluginToml() gives a script the normal form of every key', () => {
  const toml = `${HEAD}main = "src/scan.sh"
input = "argv"
dependencies = ["x"]
permissions = ["file_read"]
capabilities = ["env:TOKEN"]
enabled = false
keywords = ["log"]
[plugin.network]
policy = "allow_egress"
[plugin.limits]
timeout = 5
memory_mb = 64
${COMMANDS}`;
  const plugin = pluginOf(readDirectory(write(toml, { 'src/scan.sh': '', 'src/lib.sh': '' })));
  expect(PluginSchema.parse(plugin)).toEqual(plugin);
  expect(plugin).toMatchObject({
    system: 'kaizen',
    name: 'scan',
    manifestFile: 'PLUGIN.toml',
    runtime: { kind: 'script', language: 'bash', main: 'src/scan.sh', input: 'argv', dependencies: ['x'] },
    requests: ['read:fs:$ROOT', 'net:*', 'env:TOKEN'],
    enabled: false,
    keywords: ['log'],
    limits: { ...SCRIPT_LIMITS, timeoutMs: 5_000, memoryBytes: 64 * 1024 * 1024 },
    warnings: [],
  });
  expect(Object.keys(plugin.files)).toEqual(['PLUGIN.toml', 'src/lib.sh', 'src/scan.sh']);
  expect(plugin.commands.map(({ name, requests, annotations }) => [name, requests, annotations])).toEqual([
    ['count', [], { readOnly: true, destructive: false, openWorld: false }],
    ['file', ['read:fs:$ROOT'], { readOnly: true, destructive: false, openWorld: false }],
  ]);
});

test('readPluginToml() asks for nothing and takes the only script where a script’s manifest says no more', () => {
  const plugin = pluginOf(readDirectory(write(HEAD)));
  expect(plugin).toMatchObject({
    runtime: { main: 'main.sh', input: 'stdin', dependencies: [] },
    requests: [],
    enabled: true,
    limits: SCRIPT_LIMITS,
    commands: [
      {
        name: 'run',
        description: 'Scans logs',
        inputSchema: { type: 'object', additionalProperties: true },
        annotations: { readOnly: true, destructive: false, openWorld: false },
      },
    ],
  });
  expect(plugin.warnings).toEqual([]);
});

test('readPluginToml() finds the script of the language among others', () => {
  expect(pluginOf(readDirectory(write(HEAD, { 'main.py': '', 'scan.sh': '' }))).runtime).toMatchObject({ main: 'scan.sh' });
});

describe('readPluginToml() names of a script', () => {
  test.for<[title: string, toml: string, problems: readonly string[]]>([
    [
      'what is no TOML, under its own system',
      `${HEAD}x = \n`,
      [
        'PLUGIN.toml:6: cannot be read at column 5: Unexpected character, expecting string, number, datetime, boolean, inline array or inline table',
      ],
    ],
    [
      'a permission that it cannot have',
      `${HEAD}permissions = ["shell"]\n`,
      [
        'PLUGIN.toml:6: plugin.permissions[0] is "shell": wanted one of file_read, file_write, network; the programs of the sandbox need none',
      ],
    ],
    [
      'a script that is missing',
      `${HEAD}main = "x.sh"\n`,
      ['PLUGIN.toml:6: plugin.main is "x.sh", which cannot be used: it does not exist'],
    ],
    [
      'a script of another language',
      `${HEAD}main = "x.py"\n`,
      [
        'PLUGIN.toml:5: plugin.runtime is "bash", but "x.py" is python by its name: wanted them to agree',
        'PLUGIN.toml:6: plugin.main is "x.py", which cannot be used: it does not exist',
      ],
    ],
    [
      'too little memory',
      `${HEAD}[plugin.limits]\nmemory_mb = 1\n`,
      ['PLUGIN.toml:7: plugin.limits.memory_mb is the number 1: wanted a whole number from 16 to 4096'],
    ],
  ])('%s', ([, toml, problems], { expect }) => {
    expect(problemsOf(readDirectory(write(toml)))).toEqual(problems);
  });

  test('a module, which is not used', ({ expect }) => {
    expect(warningsOf(readDirectory(write(`${HEAD}wasm_path = "x.wasm"\n`)))).toEqual([
      'PLUGIN.toml:6: plugin.wasm_path is unknown and not used',
    ]);
  });
});

describe('tryRecognise() takes PLUGIN.toml for a manifest of', () => {
  test.for<[system: System, toml: string]>([
    ['kaizen', '[plugin]\nruntime = "python"\n'],
    ['kaizen', "[plugin]\nruntime='typescript'\n"],
    ['kaizen', 'plugin.runtime = "node"\n'],
    ['kaizen', 'plugin = { name = "x", "runtime" = "ruby" }\n'],
    ['kaizen', '[plugin\nruntime = "ruby"\n'],
    ['agentzero', '[plugin]\nruntime = "wasm"\n'],
    ['agentzero', '[plugin]\nname = "x"\n'],
    ['agentzero', '[plugin]\nruntime = "perl"\n'],
    ['agentzero', '[plugin]\ndescription = """\nruntime = "python"\n"""\n'],
    ['agentzero', '# runtime = "python"\n[plugin]\n'],
    ['agentzero', 'runtime = "python"\n[plugin]\n'],
    ['agentzero', '[plugin]\nruntime = ["python"]\n'],
    ['agentzero', '['],
    ['agentzero', ''],
  ])('%s: %j', ([system, toml], { expect }) => {
    // What lies beside it decides nothing.
    const directory = write(toml, { 'main.py': '', 'plugin.json': '{"name": "x"}' });
    expect(tryRecognise({ directory, names: ['PLUGIN.toml', 'main.py', 'plugin.json'] })?.system).toBe(system);
  });
});
