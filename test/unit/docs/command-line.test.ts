import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { EXIT } from '../../../src/commands/exit-codes.ts';
import { copyBuiltCli, readPage } from '../../helpers/console-examples.ts';
import { readSection, readTableBelow } from '../../helpers/markdown-table.ts';

const PAGE = readPage('docs/command-line.md');
const HEADINGS = [...readSection(PAGE, '## Verbs').matchAll(/^### (.+)$/gm)].map(([, usage = '']) => usage);
const COMMON = readTableBelow(PAGE, '## Options of every verb');

/** The options of a help text, wrapped lines joined, without defaults that say “off”. */
function readOptions(help: string): readonly (readonly string[])[] {
  const joined = help.slice(help.indexOf('Options:')).replaceAll(/\n {6,}(?=\S)/g, ' ');
  return [...joined.matchAll(/^ {2}(-.+?) {2,}(.*)$/gm)]
    .map(([, flags = '', text = '']) => [`\`${flags}\``, text.replace(/ ?\(default: (?:false|\[\])\)/, '')])
    .filter(([flags]) => flags !== '`-h, --help`');
}

test('docs/command-line.md lists every exit code, and no other', () => {
  expect(readTableBelow(PAGE, '## Exit codes').map(([code]) => Number(code))).toEqual(Object.values(EXIT));
});

describe('the built command line', () => {
  let directory = '';
  let cli = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'plugbridge-test-'));
    cli = copyBuiltCli(directory);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const help = (...words: string[]): string => spawnSync(process.execPath, [cli, ...words, '--help'], { encoding: 'utf8' }).stdout;

  test('has the verbs that docs/command-line.md shows', () => {
    const shown = [...help().matchAll(/^ {2}(\S+ (?:.*?)) {2,}\S/gm)].map(([, usage = '']) => usage.trim());
    expect(shown.filter((usage) => !usage.startsWith('-') && !usage.startsWith('help '))).toEqual(HEADINGS);
  });

  test.for(HEADINGS)('has the options that docs/command-line.md shows for %s', (usage) => {
    const [verb = ''] = usage.split(/[ |]/);
    const text = help(verb);
    expect(text.split('\n')[0]).toBe(`Usage: plugbridge ${usage}`);
    const own = readTableBelow(PAGE, `### ${usage}`);
    const order = (rows: readonly (readonly string[])[]): readonly (readonly string[])[] =>
      rows.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
    expect(order([...COMMON, ...own])).toEqual(order(readOptions(text)));
  });
});
