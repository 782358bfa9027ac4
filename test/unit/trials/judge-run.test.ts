import { expect, test } from 'vitest';

import type { Outcome } from '../../../src/dispatch/outcome.ts';
import { judgeRun } from '../../../src/trials/judge-run.ts';
import { makeOutcome } from '../../helpers/mcp-fixture.ts';

const text = (value: string): Pick<Outcome, 'content'> => ({ content: [{ type: 'text', text: value }] });
const failed = (code: NonNullable<Outcome['error']>['code'], message: string, over: object = {}): Outcome =>
  makeOutcome({ kind: 'failed', error: { code, message }, ...over });
const artifact = { uri: 'artifact://1/a.png', name: 'a.png', mimeType: 'image/png', bytes: 1, digest: 'sha256:0' };
const refusal = { allowed: false, capability: 'read:fs:$ROOT', by: 'grant', reason: 'not granted' } as const;

test('judgeRun() compares the output object, the text and the files', () => {
  const outcome = makeOutcome({ ...text('{"a":1}'), structured: { a: 1 }, artifacts: [artifact] });
  expect(judgeRun(outcome, { arguments: {}, expect: { a: 1 }, files: ['a.png'] })).toEqual({ status: 'ok', warnings: [] });
  expect(judgeRun(outcome, { arguments: {}, expect: { a: 2 }, files: ['b.png'] })).toEqual({
    status: 'failed',
    reason: 'the result is not what the test expects',
    differences: [
      { path: '/a', expected: '2', found: '1' },
      { path: '/files', expected: 'b.png', found: 'a.png' },
    ],
  });
  expect(judgeRun(makeOutcome(text('two words')), { arguments: {}, expect: 'words' })).toMatchObject({ status: 'ok' });
  expect(judgeRun(makeOutcome(text('two words')), { arguments: {}, expect: { text: 'words' } })).toMatchObject({ status: 'ok' });
  expect(judgeRun(makeOutcome(text('two words')), { arguments: {}, expect: { a: 1 } })).toMatchObject({
    differences: [{ expected: 'an object', found: '"two words"' }],
  });
});

test('judgeRun() wants the error that a test expects', () => {
  const broken = failed('EXECUTION_PLUGIN_FAILED', 'name is empty');
  expect(judgeRun(broken, { arguments: {}, error: true })).toMatchObject({ status: 'ok' });
  expect(judgeRun(broken, { arguments: {}, error: 'is empty' })).toMatchObject({ status: 'ok' });
  expect(judgeRun(broken, { arguments: {}, error: 'other' })).toMatchObject({
    status: 'failed',
    differences: [{ expected: 'an error with "other"', found: '"name is empty"' }],
  });
  expect(judgeRun(makeOutcome(), { arguments: {}, error: true })).toMatchObject({ differences: [{ found: 'the call ended as ok' }] });
  expect(judgeRun(broken, { arguments: {} })).toMatchObject({ status: 'failed', reason: 'EXECUTION_PLUGIN_FAILED: name is empty' });
});

test('judgeRun() takes an error for an answer when the arguments were made up, but not a crash', () => {
  const warnings = ['it answers made-up arguments with an error: add a test, such as tests/example.json'];
  expect(judgeRun(failed('EXECUTION_PLUGIN_FAILED', 'no such file'), undefined)).toEqual({ status: 'ok', warnings });
  expect(judgeRun(failed('EXECUTION_PLUGIN_FAILED', 'no such file', { exit: 'exit 0' }), undefined)).toEqual({ status: 'ok', warnings });
  expect(judgeRun(failed('EXECUTION_PLUGIN_FAILED', 'Traceback', { exit: 'exit 1' }), undefined)).toMatchObject({ status: 'failed' });
  expect(judgeRun(failed('EXECUTION_TRAPPED', 'it trapped'), undefined)).toMatchObject({ status: 'failed' });
  expect(judgeRun(makeOutcome({ kind: 'timed-out', error: { code: 'EXECUTION_TIMED_OUT', message: 'late' } }), undefined)).toMatchObject({
    status: 'failed',
  });
});

test('judgeRun() reports what a person has to allow, and blames nobody', () => {
  const refused = makeOutcome({ kind: 'refused', error: { code: 'DISPATCH_NOT_PERMITTED', message: 'net:* is not granted' } });
  expect(judgeRun(refused, undefined)).toEqual({ status: 'not-run', reason: 'needs net:* is not granted' });
  expect(judgeRun(refused, { arguments: {}, error: true })).toMatchObject({ status: 'not-run' });
  const without = failed('EXECUTION_PLUGIN_FAILED', 'no notes', { refusals: [refusal] });
  expect(judgeRun(without, undefined)).toEqual({ status: 'not-run', reason: 'needs read:fs:$ROOT (not granted)' });
  expect(judgeRun(without, { arguments: {}, error: 'no notes' })).toMatchObject({ status: 'ok' });
});

test.for(['EXECUTION_NOT_ISOLATED', 'EXECUTION_INTERPRETER_MISSING', 'EXECUTION_NO_HOST', 'DISPATCH_QUEUE_FULL'] as const)(
  'judgeRun() does not blame the plugin for %s',
  (code) => {
    expect(judgeRun(failed(code, 'install it'), { arguments: {}, error: true })).toEqual({ status: 'not-run', reason: 'install it' });
  },
);
