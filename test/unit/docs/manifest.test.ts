import { expect, test } from 'vitest';

import { wasmToml } from '../../../src/manifest/agentzero/read.ts';
import { WasmPluginSchema } from '../../../src/manifest/agentzero/schema.ts';
import { EXTENSIONS } from '../../../src/manifest/kaizen/find-script.ts';
import { ScriptCommandSchema, ScriptLimitsSchema, ScriptPluginSchema, SidecarSchema } from '../../../src/manifest/kaizen/schema.ts';
import { SCRIPT_VARIABLES } from '../../../src/manifest/kaizen/script-runtime.ts';
import { DEFAULT_LIMITS, SCRIPT_LIMITS, type Limits } from '../../../src/manifest/plugin.ts';
import { CommandTableSchema, NetworkTableSchema, PERMISSIONS } from '../../../src/manifest/plugin-toml/schema.ts';
import { readPage } from '../../helpers/console-examples.ts';
import { readCodes, readTableBelow } from '../../helpers/markdown-table.ts';

const PAGE = readPage('docs/plugins-agentzero.md');
const keysBelow = (heading: string): readonly string[] => readTableBelow(PAGE, heading).flatMap(([cell = '']) => readCodes(cell));

test('docs/plugins-agentzero.md lists every key of [plugin] and every permission', () => {
  expect(keysBelow('## `[plugin]`')).toEqual([
    ...Object.keys(WasmPluginSchema.shape),
    ...PERMISSIONS.filter((one) => one !== 'network' && one !== 'shell'),
    'shell',
    'network',
  ]);
});

test.for([
  ['## `[plugin.network]`', NetworkTableSchema],
  ['## Limits', wasmToml.limits.schema],
] as const)('docs/plugins-agentzero.md lists every key of %s', ([heading, schema]) => {
  expect(keysBelow(heading)).toEqual(Object.keys(schema.shape));
});

test('docs/plugins-agentzero.md lists every key of [[commands]]', () => {
  expect(keysBelow('## `[[commands]]`').toSorted()).toEqual(Object.keys(CommandTableSchema.shape).toSorted());
});

const mebibytes = (bytes: number): number => bytes / 1024 / 1024;
const shownLimits = ({ timeoutMs, memoryBytes, outputBytes, concurrency }: Limits): readonly number[] => [
  timeoutMs / 1000,
  mebibytes(memoryBytes),
  mebibytes(outputBytes),
  concurrency,
];

test.for([
  ['docs/plugins-agentzero.md', DEFAULT_LIMITS],
  ['docs/plugins-kaizen.md', SCRIPT_LIMITS],
] as const)('%s gives the defaults of the limits', ([page, limits]) => {
  expect(readTableBelow(readPage(page), '## Limits').map((row) => Number(row.at(-1)))).toEqual(shownLimits(limits));
});

const SCRIPTS_PAGE = readPage('docs/plugins-kaizen.md');
const firstCellsBelow = (heading: string): readonly string[] =>
  readTableBelow(SCRIPTS_PAGE, heading).flatMap(([cell = '']) => readCodes(cell));

test.for([
  ['## `plugin.json`', SidecarSchema],
  ['## Limits', ScriptLimitsSchema],
] as const)('docs/plugins-kaizen.md lists every key of %s', ([heading, schema]) => {
  expect(firstCellsBelow(heading).toSorted()).toEqual(Object.keys(schema.shape).toSorted());
});

test('docs/plugins-kaizen.md lists every key of [plugin] and [[commands]] in PLUGIN.toml', () => {
  const keys = [...Object.keys(ScriptPluginSchema.shape), ...Object.keys(ScriptCommandSchema.shape)];
  expect(firstCellsBelow('## `PLUGIN.toml`').toSorted()).toEqual(keys.toSorted());
});

test('docs/plugins-kaizen.md lists the languages, their extensions and the variables of a script', () => {
  const rows = readTableBelow(SCRIPTS_PAGE, '## Which script').flatMap(([language = '', extensions = '']) =>
    readCodes(extensions).map((extension) => [extension, readCodes(language)[0]]),
  );
  expect(rows).toEqual(Object.entries(EXTENSIONS));
  expect(firstCellsBelow('## What a script gets')).toEqual(Object.keys(SCRIPT_VARIABLES));
});
