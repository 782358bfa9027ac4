import fc from 'fast-check';
import { expect, test } from 'vitest';

import { PluginSchema } from '../../../src/manifest/plugin.ts';
import { formatProblem } from '../../../src/manifest/problem.ts';
import { manifestFixture, readToml } from '../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../helpers/tmp.ts';
import type { ManifestReading } from '../../../src/manifest/format.ts';

const FULL = manifestFixture('full.toml');
const LINES = FULL.split('\n');
const MODULE = 'out/notes.wasm';

function checkReading(reading: ManifestReading): void {
  if (reading.ok) expect(PluginSchema.parse(reading.plugin)).toEqual(reading.plugin);
  else {
    expect(reading.problems.length).toBeGreaterThan(0);
    for (const problem of reading.problems) expect(formatProblem(problem)).toMatch(/^[^\p{Cc}]+$/u);
  }
}

test('readManifest() answers any bytes with a plugin or with problems', () => {
  const directory = useTmp();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => checkReading(readToml(directory, bytes, MODULE))),
    { numRuns: 150 },
  );
});

test('readManifest() answers any damaged manifest with a plugin or with problems', () => {
  const directory = useTmp();
  const text = fc.constantFrom(
    '[',
    ']',
    '"',
    "'",
    '=',
    '\n',
    '{',
    '}',
    '.',
    '#',
    '\\',
    '\0',
    '\u001B',
    '‮',
    '-1',
    'nan',
    '2026-01-01',
    '[[commands]]\n',
  );
  const damage = fc.tuple(fc.nat(FULL.length), fc.nat(12), text).map(([at, cut, put]) => FULL.slice(0, at) + put + FULL.slice(at + cut));
  fc.assert(
    fc.property(damage, (manifest) => checkReading(readToml(directory, manifest, MODULE))),
    { numRuns: 500 },
  );
});

test('readManifest() answers any value under any key with a plugin or with problems', () => {
  const directory = useTmp();
  const value = fc.constantFrom(
    '1',
    '-1',
    '0.5',
    'inf',
    'nan',
    'true',
    '""',
    '"x"',
    '[]',
    '[1]',
    '[[]]',
    '{}',
    '{ a = 1 }',
    '{ type = "object" }',
    '1979-05-27',
    '07:32:00',
    '99999999999999999999',
    '"\\u0000"',
    '{ "__proto__" = "string" }',
    '[{ name = "a", description = "b" }]',
  );
  const replaced = fc.tuple(fc.nat(LINES.length - 1), value).map(([at, put]) => {
    const line = LINES[at] ?? '';
    const key = line.split('=')[0] ?? '';
    return LINES.with(at, line.includes('=') ? `${key}= ${put}` : line).join('\n');
  });
  fc.assert(
    fc.property(replaced, (manifest) => checkReading(readToml(directory, manifest, MODULE))),
    { numRuns: 400 },
  );
});

test.for([
  'a = ' + '['.repeat(100_000),
  'a = ' + '{ a = '.repeat(20_000),
  'a.'.repeat(100_000) + 'b = 1',
  '[' + 'a.'.repeat(50_000) + 'b]',
  '"'.repeat(200_000),
])('readManifest() survives nesting %#', (manifest) => checkReading(readToml(useTmp(), manifest, MODULE)));
