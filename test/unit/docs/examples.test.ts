import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { fitsOutput, openExampleSession, readExamples, readFences, readPage, REPOSITORY } from '../../helpers/console-examples.ts';
import { describeWith } from '../../helpers/interpreters.ts';
import { useTmp } from '../../helpers/tmp.ts';

const PAGES = ['README.md', ...readdirSync(join(REPOSITORY, 'docs')).map((name) => `docs/${name}`)].filter((path) => path.endsWith('.md'));
const WITH_EXAMPLES = PAGES.filter((path) => readFences(readPage(path)).some(({ info }) => info[0] === 'console'));

test('README.md and at least four pages have examples that run', () => {
  expect(WITH_EXAMPLES).toContain('README.md');
  expect(WITH_EXAMPLES.length).toBeGreaterThanOrEqual(5);
});

// The sample plugins are among what they show, in every language.
const describeExamples = describeWith('python', 'bash', 'ruby');

describeExamples('the examples', () => {
  test.for(WITH_EXAMPLES)('%s shows what its commands really print', { timeout: 120_000 }, (path) => {
    const session = openExampleSession(useTmp());
    for (const fence of readFences(readPage(path))) {
      const [language, file] = fence.info;
      if (language !== 'console' && file !== undefined) session.write(file, fence.text);
      if (language !== 'console') continue;
      for (const { command, expected, exitCode, line } of readExamples(fence)) {
        const ran = session.run(command);
        const where = `${path}:${line}: $ ${command}`;
        expect({ where, exitCode: ran.exitCode, output: ran.output }).toEqual({ where, exitCode, output: ran.output });
        // The whole of both, so that a difference can be seen.
        if (!fitsOutput(expected, ran.output)) expect(ran.output, where).toBe(`${expected.join('\n')}\n`);
      }
    }
  });
});

test.for([
  ['a…c\n', 'abc\n', true],
  ['a…c\n', 'abd\n', false],
  ['a…c\n', 'a\nc\n', false],
  ['a\n…\nb\n', 'a\nb\n', true],
  ['a\n…\nb\n', 'a\nx\ny\nb\n', true],
  ['a\n', 'a', true],
  ['a\n', 'a\nb\n', false],
  ['', '', true],
  ['', 'a\n', false],
  ['(.*)\n', 'a\n', false],
] as const)('fitsOutput() of %j and %j is %j', ([expected, output, fits]) => {
  expect(fitsOutput(expected.split('\n').slice(0, -1), output)).toBe(fits);
});

test('readExamples() gives command, output and exit code of each', () => {
  const [fence] = readFences('text\n```console\n$ one\nout\n[exit code 3]\n$ two\n```\n');
  expect(fence && readExamples(fence)).toEqual([
    { command: 'one', expected: ['out'], exitCode: 3, line: 3 },
    { command: 'two', expected: [], exitCode: 0, line: 6 },
  ]);
});
