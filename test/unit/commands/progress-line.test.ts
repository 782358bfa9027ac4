import { expect, test } from 'vitest';

import { createProgressLine } from '../../../src/commands/progress-line.ts';

function useStream(isTTY: boolean, columns = 20) {
  const written: string[] = [];
  return { written, stream: { isTTY, columns, write: (text: string) => written.push(text) } };
}

test('createProgressLine() writes over one line of a terminal, cut to its width, and takes it away', () => {
  const { written, stream } = useStream(true);
  const progress = createProgressLine(stream, {});
  progress.clear();
  progress.show('Collecting \u001b[31mrequests==2.31 from the index');
  progress.show('done');
  progress.clear();
  expect(written).toEqual(['\r\u001b[KCollecting �[31mreq', '\r\u001b[Kdone', '\r\u001b[K']);
});

test.for([
  ['no terminal', false, {}],
  ['CI', true, { CI: 'true' }],
  ['a dumb terminal', true, { TERM: 'dumb' }],
] as const)('createProgressLine() writes plain lines for %s', ([, isTTY, environment], { expect: check }) => {
  const { written, stream } = useStream(isTTY);
  const progress = createProgressLine(stream, environment);
  progress.show('one\ttwo');
  progress.clear();
  check(written).toEqual(['one two\n']);
});
