import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createArgumentCheck } from '../../../../src/catalog/argument-check.ts';
import { createBoundedRun } from '../../../../src/catalog/bounded-run.ts';
import { normaliseInputSchema } from '../../../../src/catalog/tool-schema.ts';
import { sha256Hex } from '../../../../src/manifest/digest.ts';
import type { ManifestReading } from '../../../../src/manifest/format.ts';
import { PluginSchema, SCRIPT_LIMITS, type JsonSchema } from '../../../../src/manifest/plugin.ts';
import { pluginOf, problemsOf, readDirectory, warningsOf, writeFiles } from '../../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../../helpers/tmp.ts';

const PARAMETERS = [
  { name: 'csv', type: 'string', description: 'The table', required: true },
  { name: 'kind', type: 'string', enum: ['bar', 'line'], default: 'bar' },
  { name: 'columns', type: 'array', items: { type: 'string' } },
];
const FULL = {
  name: 'csv-chart',
  description: 'Draws a chart of a CSV table',
  language: 'python',
  main: 'chart.py',
  parameters: PARAMETERS,
  dependencies: ['pillow==11.0.0', 'requests'],
  timeout: 12.5,
  enabled: false,
  version: '2.1.0',
  title: 'Chart',
  input: 'both',
  permissions: ['file_read'],
  network: { policy: 'allow_egress_filtered', allowed_hosts: ['api.test.example'] },
  capabilities: ['env:API_KEY', 'read:fs:$ROOT/docs'],
  keywords: ['chart', 'chart'],
  limits: { memory_mb: 1024, output_mb: 2, concurrency: 3 },
  idempotent: true,
};
const CHART = '"""Draws."""\nprint(1)\n';

/** Reads a directory `name` with a plugin.json and a script. */
const read = (sidecar: unknown, files: Readonly<Record<string, string>> = { 'main.py': CHART }, name = 'plain'): ManifestReading => {
  const text = typeof sidecar === 'string' ? sidecar : JSON.stringify(sidecar, undefined, 1);
  const base = writeFiles(
    useTmp(),
    Object.fromEntries(Object.entries({ 'plugin.json': text, ...files }).map(([file, content]) => [`${name}/${file}`, content])),
  );
  return readDirectory(`${base}/${name}`);
};

test('readSidecar() gives the normal form of everything that a sidecar can say', () => {
  const plugin = pluginOf(read(FULL, { 'chart.py': CHART, 'lib/axis.py': 'x' }));
  expect(PluginSchema.parse(plugin)).toEqual(plugin);
  expect(plugin).toEqual({
    id: 'csv-chart',
    system: 'kaizen',
    name: 'csv-chart',
    version: '2.1.0',
    description: 'Draws a chart of a CSV table',
    directory: plugin.directory,
    manifestFile: 'plugin.json',
    files: {
      'chart.py': sha256Hex(CHART),
      'lib/axis.py': sha256Hex('x'),
      'plugin.json': sha256Hex(JSON.stringify(FULL, undefined, 1)),
    },
    digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
    runtime: {
      kind: 'script',
      language: 'python',
      main: 'chart.py',
      input: 'both',
      variables: {
        KAIZEN_PLUGIN_NAME: 'plugin-name',
        KAIZEN_PLUGIN_DIR: 'plugin-directory',
        KAIZEN_OUTPUT_DIR: 'run-directory',
        KAIZEN_DATA_DIR: 'data-directory',
        KAIZEN_ROOT_DIR: 'root-directory',
        KAIZEN_COMMAND: 'command',
      },
      dependencies: ['pillow==11.0.0', 'requests'],
    },
    requests: ['read:fs:$ROOT', 'net:api.test.example:*', 'net:*.api.test.example:*', 'env:API_KEY', 'read:fs:$ROOT/docs'],
    commands: [
      {
        name: 'run',
        title: 'Chart',
        description: 'Draws a chart of a CSV table',
        inputSchema: {
          type: 'object',
          properties: {
            csv: { type: 'string', description: 'The table' },
            kind: { type: 'string', enum: ['bar', 'line'], default: 'bar' },
            columns: { type: 'array', items: { type: 'string' } },
          },
          required: ['csv'],
          additionalProperties: false,
        },
        annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: true },
      },
    ],
    tags: [],
    keywords: ['chart'],
    enabled: false,
    limits: { ...SCRIPT_LIMITS, timeoutMs: 12_500, memoryBytes: 1024 * 1024 * 1024, outputBytes: 2 * 1024 * 1024, concurrency: 3 },
    warnings: [],
  });
});

test('readSidecar() fills in what a sidecar does not say', () => {
  const plugin = pluginOf(read({ name: 'plain', parameters: [] }));
  expect(plugin).toMatchObject({
    version: '0.0.0',
    description: 'Draws.',
    runtime: { language: 'python', main: 'main.py', input: 'stdin', dependencies: [] },
    requests: [],
    enabled: true,
    limits: SCRIPT_LIMITS,
    commands: [
      {
        name: 'run',
        inputSchema: { type: 'object', properties: {}, additionalProperties: false },
        annotations: { readOnly: true, destructive: false, openWorld: false },
      },
    ],
    warnings: [],
  });
});

test('readSidecar() takes the name of the directory where none is given, if it is one', () => {
  expect(pluginOf(read({ main: 'main.py', parameters: [] }, undefined, 'my-tool')).name).toBe('my-tool');
  expect(problemsOf(read({ main: 'main.py', parameters: [] }, undefined, 'my tool'))).toEqual([
    'plugin.json: name is missing, and the name of the directory, "my tool", is none for a plugin: wanted one',
  ]);
});

test.for([
  ['Node.js', 'main.js', 'node'],
  ['JavaScript', 'main.mjs', 'node'],
  ['TypeScript', 'main.ts', 'typescript'],
  ['shell', 'main.sh', 'bash'],
  ['Ruby', 'main.rb', 'ruby'],
  ['python', 'script', 'python'],
] as const)('readSidecar() understands the language %s of %s', ([language, main, expected]) => {
  expect(pluginOf(read({ language, main, parameters: [] }, { [main]: '' })).runtime).toMatchObject({ language: expected, main });
});

test('readSidecar() takes one tool for each of its commands', () => {
  const commands = [
    { name: 'draw', description: 'Draws', input: { csv: 'string' }, capabilities: [] },
    { name: 'fetch', description: 'Fetches', capabilities: ['env:KEY'] },
  ];
  const plugin = pluginOf(read({ name: 'two', capabilities: ['env:KEY', 'net:api.test.example:443'], commands }));
  expect(plugin.commands.map(({ name, requests, annotations }) => [name, requests, annotations.openWorld])).toEqual([
    ['draw', [], false],
    ['fetch', ['env:KEY'], false],
  ]);
  expect(plugin.warnings).toEqual([]);
});

describe('readSidecar() reads arguments from', () => {
  test.for<[title: string, sidecar: object, schema: JsonSchema]>([
    [
      'a JSON Schema under parameters',
      { parameters: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } },
      { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
    ],
    [
      'a JSON Schema under schema',
      { schema: { properties: { a: { type: 'string' } } } },
      { type: 'object', properties: { a: { type: 'string' } } },
    ],
    [
      'our short form',
      { parameters: { a: 'string', b: 'integer?' } },
      { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer' } }, required: ['a'], additionalProperties: false },
    ],
  ])('%s', ([, sidecar, schema], { expect }) => {
    expect(pluginOf(read({ name: 'plain', ...sidecar })).commands[0]?.inputSchema).toEqual(schema);
  });

  test('nothing, and says so', ({ expect }) => {
    expect(warningsOf(read({ name: 'plain' }))).toEqual([
      'plugin.json: has no parameters, so that its tool takes no arguments: wanted a list of them, empty where that is meant',
    ]);
  });
});

test('readSidecar() makes schemas that accept what the parameters describe, and nothing else', () => {
  const values = { string: 'x', number: 1.5, integer: 2, boolean: true, array: [1], object: { a: 1 } };
  const parameter = fc.record({
    name: fc.stringMatching(/^[a-z_][a-z0-9_-]{0,8}$/),
    type: fc.constantFrom(...(Object.keys(values) as (keyof typeof values)[])),
    required: fc.boolean(),
  });
  const runBounded = createBoundedRun();
  fc.assert(
    fc.property(fc.uniqueArray(parameter, { selector: ({ name }) => name, maxLength: 8 }), (parameters) => {
      const normalised = normaliseInputSchema(pluginOf(read({ name: 'plain', parameters })).commands[0]?.inputSchema ?? {});
      if (!normalised.ok) throw new Error(normalised.problem);
      const check = createArgumentCheck(normalised.schema, runBounded);
      const all = Object.fromEntries(parameters.map(({ name, type }) => [name, values[type]]));
      expect(check(all)).toEqual([]);
      expect(
        check(Object.fromEntries(parameters.filter(({ required }) => required).map(({ name, type }) => [name, values[type]]))),
      ).toEqual([]);
      expect(check({ ...all, 'not listed': 1 })).not.toEqual([]);
      for (const { name, required } of parameters) {
        const { [name]: _left, ...rest } = all;
        expect(check(rest).length > 0).toBe(required);
      }
    }),
    { numRuns: 60 },
  );
});
