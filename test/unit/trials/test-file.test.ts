import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseTest, readTests } from '../../../src/trials/test-file.ts';
import { useTmp } from '../../helpers/tmp.ts';

test('parseTest() reads all members and fills in the arguments', () => {
  const whole = { command: 'run', arguments: { a: 1 }, expect: { b: 2 }, files: ['c.png'], timeoutMs: 100 };
  expect(parseTest('t.json', JSON.stringify(whole))).toEqual({ ok: true, test: whole });
  expect(parseTest('t.json', '{"error":true}')).toEqual({ ok: true, test: { arguments: {}, error: true } });
  expect(parseTest('t.json', '{"expect":"words"}')).toEqual({ ok: true, test: { arguments: {}, expect: 'words' } });
});

test.for([
  [
    '{\n  "arguments": {},\n  "expct": {}\n}',
    't.json:1: "expct" is unknown: wanted are command, arguments, expect, files, error, timeoutMs',
  ],
  ['{\n  "arguments": []\n}', 't.json:2: arguments: Invalid input: expected record, received array'],
  ['{\n  "files": [\n    "a",\n    7\n  ]\n}', 't.json:4: files.1: Invalid input: expected string, received number'],
  ['{\n  "arguments": {\n    "a": ,\n  }\n}', 't.json:3: is not valid JSON: value expected'],
  ['// no\n{}', 't.json:1: is not valid JSON: invalid comment token'],
  ['', 't.json:1: is not valid JSON: value expected'],
  ['{"arguments":{"__proto__":{}}}', 't.json:1: arguments.__proto__ is a key that objects cannot hold: wanted another name'],
  [`{"arguments":{"a":${'['.repeat(100)}${']'.repeat(100)}}}`, 't.json: is nested more than 64 deep: wanted less'],
] as const)('parseTest() says where %j is wrong', ([text, problem]) => {
  expect(parseTest('t.json', text)).toEqual({ ok: false, problems: [problem] });
});

test('parseTest() answers whatever the text, at once', () => {
  const nasty = fc.constantFrom(
    '['.repeat(200_000),
    '{"a":'.repeat(200_000),
    `"${'\\"'.repeat(200_000)}\\`,
    `{"a":"${'\\'.repeat(99_999)}`,
    '\u0000',
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), nasty), (text) => {
      expect(parseTest('t.json', text)).toHaveProperty('ok');
    }),
  );
});

test('readTests() reads the JSON files in tests, by name, and none that lies elsewhere', () => {
  const directory = useTmp();
  expect(readTests(directory)).toEqual({ tests: [], problems: [] });
  mkdirSync(join(directory, 'tests'));
  writeFileSync(join(directory, 'tests/b.json'), '{"arguments":{"b":1}}');
  writeFileSync(join(directory, 'tests/a.json'), '{"arguments":{"a":1}}');
  writeFileSync(join(directory, 'tests/broken.json'), '{');
  writeFileSync(join(directory, 'tests/README.md'), 'no test');
  symlinkSync('/etc/hostname', join(directory, 'tests/linked.json'));
  const { tests, problems } = readTests(directory);
  expect(tests.map(({ file }) => file)).toEqual(['tests/a.json', 'tests/b.json']);
  expect(problems).toEqual([
    'tests/broken.json:1: is not valid JSON: close brace expected',
    'tests/linked.json: cannot be read: it is a symbolic link that leads out of the plugin directory',
  ]);
});

test('readTests() reads no more than 64 files', () => {
  const directory = useTmp();
  mkdirSync(join(directory, 'tests'));
  for (let index = 0; index < 70; index++) writeFileSync(join(directory, `tests/${index}.json`), '{}');
  expect(readTests(directory)).toMatchObject({ problems: ['tests: holds 70 tests: wanted at most 64'] });
  expect(readTests(directory).tests).toHaveLength(64);
});
