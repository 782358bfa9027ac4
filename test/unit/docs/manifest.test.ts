import { expect, test } from 'vitest';

import {
  CommandTableSchema,
  LimitsTableSchema,
  NetworkTableSchema,
  PERMISSIONS,
  PluginTableSchema,
} from '../../../src/manifest/agentzero/schema.ts';
import { DEFAULT_LIMITS } from '../../../src/manifest/plugin.ts';
import { readPage } from '../../helpers/console-examples.ts';
import { readCodes, readTableBelow } from '../../helpers/markdown-table.ts';

const PAGE = readPage('docs/plugins-agentzero.md');
const keysBelow = (heading: string): readonly string[] => readTableBelow(PAGE, heading).flatMap(([cell = '']) => readCodes(cell));

test('docs/plugins-agentzero.md lists every key of [plugin] and every permission', () => {
  expect(keysBelow('## `[plugin]`')).toEqual([
    ...Object.keys(PluginTableSchema.shape),
    ...PERMISSIONS.filter((one) => one !== 'network' && one !== 'shell'),
    'shell',
    'network',
  ]);
});

test.for([
  ['## `[plugin.network]`', NetworkTableSchema],
  ['## Limits', LimitsTableSchema],
] as const)('docs/plugins-agentzero.md lists every key of %s', ([heading, schema]) => {
  expect(keysBelow(heading)).toEqual(Object.keys(schema.shape));
});

test('docs/plugins-agentzero.md lists every key of [[commands]]', () => {
  expect(keysBelow('## `[[commands]]`').toSorted()).toEqual(Object.keys(CommandTableSchema.shape).toSorted());
});

test('docs/plugins-agentzero.md gives the defaults of the limits', () => {
  const defaults = readTableBelow(PAGE, '## Limits').map((row) => Number(row.at(-1)));
  const mebibytes = (bytes: number): number => bytes / 1024 / 1024;
  const { timeoutMs, memoryBytes, outputBytes, concurrency } = DEFAULT_LIMITS;
  expect(defaults).toEqual([timeoutMs / 1000, mebibytes(memoryBytes), mebibytes(outputBytes), concurrency]);
});
