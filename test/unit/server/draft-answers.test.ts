import { expect, test } from 'vitest';

import type { DraftReport } from '../../../src/authoring/authoring.ts';
import type { TrialReport } from '../../../src/trials/run-trials.ts';
import { showDraft } from '../../../src/server/draft-answers.ts';

const image = (data: string) => ({ type: 'image' as const, data, mimeType: 'image/png' });
const makeRun = (over: Partial<NonNullable<TrialReport['run']>> = {}): TrialReport => ({
  source: 'derived',
  command: 'run',
  status: 'ok',
  differences: [],
  warnings: [],
  run: { arguments: {}, preview: 'done', log: [], artifacts: [], images: [], durationMs: 1, tier: 'bwrap', ...over },
});
const makeReport = (over: Partial<DraftReport> = {}): DraftReport => ({
  name: 'x',
  status: 'passing',
  attempt: 1,
  attemptsLeft: 3,
  problems: [],
  warnings: [],
  runs: [],
  files: [],
  ...over,
});

test('showDraft() shows images once, at most eight and 2 MB of them', () => {
  const many = showDraft(makeReport({ runs: [makeRun({ images: Array.from({ length: 12 }, () => image('AAAA')) })] }));
  expect(many.content).toHaveLength(9);
  expect(JSON.stringify(many.structuredContent)).not.toContain('AAAA');
  const large = showDraft(makeReport({ runs: [makeRun({ images: [image('A'.repeat(1_500_000)), image('B'.repeat(1_500_000))] })] }));
  expect(large.content).toHaveLength(2);
});

test('showDraft() bounds its text and its data, whatever was run', () => {
  const runs = Array.from({ length: 64 }, () => makeRun({ arguments: { text: 'x'.repeat(100_000) }, preview: 'y'.repeat(2_000) }));
  const shown = showDraft(makeReport({ runs, files: [{ file: 'main.py', text: 'z'.repeat(500_000) }] }));
  const [text] = shown.content as { text: string }[];
  expect(text?.text.length).toBeLessThan(41_000);
  expect(JSON.stringify((shown.structuredContent as { runs: unknown }).runs).length).toBeLessThan(60_000);
});

test.for([
  ['passing', [makeRun()], /^The draft "x" passed\. Look at what it gives/],
  ['passing', [], /^The draft "x" passed its checks, but nothing of it was run\./],
  ['copied', [], /^The draft "x" is a copy/],
] as const)('showDraft() of a draft that is %s is no error', ([status, runs, text]) => {
  const shown = showDraft(makeReport({ status, runs }));
  expect(shown).not.toHaveProperty('isError');
  expect(shown.content[0]).toMatchObject({ text: expect.stringMatching(text) as string });
});

test.for([
  ['failing', 2, /^Attempt 2 of 3 at the draft "x" failed: patch what is wrong/],
  ['closed', 3, /^Attempt 3 of 3 at the draft "x" failed, and it is closed/],
] as const)('showDraft() of a draft that is %s is an error', ([status, attempt, text]) => {
  const shown = showDraft(makeReport({ status, attempt, problems: ['main.py:1: wrong'] }));
  expect(shown).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(text) as string }] });
  expect(shown.content[0]).toMatchObject({ text: expect.stringContaining('problem: main.py:1: wrong') as string });
});
