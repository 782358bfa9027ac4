import fc from 'fast-check';
import { expect, test } from 'vitest';

import { tryRecognise } from '../../../../src/manifest/formats.ts';
import { readSidecar } from '../../../../src/manifest/kaizen/read-sidecar.ts';
import { PluginSchema } from '../../../../src/manifest/plugin.ts';
import { formatProblem } from '../../../../src/manifest/problem.ts';
import { isSafeName } from '../../../../src/manifest/text.ts';
import { writeFiles } from '../../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../../helpers/tmp.ts';

const FULL = {
  name: 'plain',
  description: 'Does it',
  language: 'python',
  main: 'main.py',
  parameters: [{ name: 'a', type: 'string', description: 'A', required: true, default: 'x', enum: ['x'] }],
  dependencies: ['requests'],
  timeout: 5,
  enabled: true,
  permissions: ['network'],
  network: { policy: 'allow_egress_filtered', allowed_hosts: ['a.test'] },
  limits: { memory_mb: 64 },
};
const KEYS = [
  ...Object.keys(FULL),
  'schema',
  'commands',
  'capabilities',
  'input',
  'version',
  'keywords',
  'title',
  'read_only',
  '__proto__',
  'constructor',
];

/** Reads a plugin.json as the program does, whether or not it is recognised. */
function check(directory: string, sidecar: string | Uint8Array): void {
  writeFiles(directory, { 'plugin.json': sidecar, 'main.py': '' });
  const names = ['main.py', 'plugin.json'];
  expect(tryRecognise({ directory, names })?.system ?? 'kaizen').toBe('kaizen');
  const reading = readSidecar({ directory, names, manifestFile: 'plugin.json' });
  if (reading.ok) {
    expect(PluginSchema.parse(reading.plugin)).toEqual(reading.plugin);
    expect(isSafeName(reading.plugin.name)).toBe(true);
    expect(reading.plugin.commands.length).toBeGreaterThan(0);
    return;
  }
  expect(reading.problems.length).toBeGreaterThan(0);
  if (reading.name !== undefined) expect(isSafeName(reading.name)).toBe(true);
  for (const problem of reading.problems) expect(formatProblem(problem)).toMatch(/^[^\p{Cc}]+$/u);
}

test('readSidecar() answers any bytes with a plugin or with problems', () => {
  const directory = useTmp();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => check(directory, bytes)),
    { numRuns: 150 },
  );
});

test('readSidecar() answers any JSON with a plugin or with problems', () => {
  const directory = useTmp();
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => check(directory, text)),
    { numRuns: 200 },
  );
});

test('readSidecar() answers any value under any key with a plugin or with problems', () => {
  const directory = useTmp();
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      0,
      -1,
      1e308,
      true,
      '',
      'main.py',
      [],
      [null],
      {},
      { a: {} },
      'x'.repeat(5_000),
      [[]],
      [{ name: 'a', description: 'b' }],
    ),
    fc.jsonValue({ maxDepth: 3 }),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 3 }), (members) => {
      check(directory, JSON.stringify({ ...FULL, ...members }));
    }),
    { numRuns: 400 },
  );
});

test('readSidecar() answers any damaged sidecar with a plugin or with problems', () => {
  const directory = useTmp();
  const text = JSON.stringify(FULL, undefined, 2);
  const put = fc.constantFrom('[', ']', '"', '{', '}', ',', ':', '\\', '\0', '\u202E', '//', '1e999', '\\ud800', 'null');
  fc.assert(
    fc.property(fc.nat(text.length), fc.nat(8), put, (at, cut, inserted) =>
      check(directory, text.slice(0, at) + inserted + text.slice(at + cut)),
    ),
    { numRuns: 300 },
  );
});

test.for([
  '['.repeat(100_000),
  '{"a":'.repeat(40_000),
  `{"parameters":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
  '"'.repeat(200_000),
  `{"name":"x","timeout":"5",${'"a":{'.repeat(30_000)}}`,
])('readSidecar() survives nesting %#', (text) => check(useTmp(), text));
