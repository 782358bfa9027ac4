import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { ERRORS, type ErrorCode } from '../../../src/errors.ts';
import { readPage, REPOSITORY } from '../../helpers/console-examples.ts';
import { readCodes, readTableBelow } from '../../helpers/markdown-table.ts';

/** Details that say their own names: what the message of an error looks like with `<file>` for the value of `file`. */
const PLACEHOLDERS = new Proxy({}, { get: (_, name) => `<${String(name)}>` });
const CODES = Object.keys(ERRORS) as ErrorCode[];
const describeError = (code: ErrorCode): readonly string[] => {
  const { fault, message } = ERRORS[code] as { fault: string; message: (details: object) => string };
  return [`\`${code}\``, fault, `\`${message(PLACEHOLDERS)}\``];
};

test('docs/errors.md lists every code of ERRORS with its fault and its text, and no other', () => {
  const rows = readTableBelow(readPage('docs/errors.md'), '# Errors').filter(([code = '']) => /^`[A-Z_]+`$/.test(code));
  expect(rows.map((row) => row.slice(0, 3))).toEqual(CODES.map(describeError));
  expect(rows.filter((row) => (row[3] ?? '').length < 10)).toEqual([]);
});

test('docs/life-of-a-call.md shows every code that can end a call', () => {
  const page = readPage('docs/life-of-a-call.md');
  const ending = CODES.filter((code) => /^(?:DISPATCH|EXECUTION)_/.test(code) && !/^EXECUTION_(?:SANDBOX_|INTERNAL)/.test(code));
  expect(ending.filter((code) => !page.includes(code))).toEqual([]);
});

test('no page names a code that does not exist', () => {
  const areas = new Set(CODES.map((code) => code.split('_')[0]));
  const pages = ['README.md', 'AGENTS.md', 'CHANGELOG.md', ...readdirSync(join(REPOSITORY, 'docs')).map((name) => `docs/${name}`)];
  const unknown = pages
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) => [...readCodes(readPage(path)), ...readPage(path).split(/[^A-Z_]+/)])
    .filter((word) => /^[A-Z]+(?:_[A-Z]+)+$/.test(word) && areas.has(word.split('_')[0]) && !Object.hasOwn(ERRORS, word));
  expect(unknown).toEqual([]);
});
