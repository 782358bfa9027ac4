import type { Outcome } from '../dispatch/outcome.ts';
import { ERRORS, type Fault } from '../errors.ts';
import { matchExpected, showValue, type Difference } from './match-expected.ts';
import { ADD_A_TEST, type TestCase } from './test-case.ts';

/** How one run is seen. `not-run`: a person has to allow or install something first. */
export type Verdict =
  | { readonly status: 'ok'; readonly warnings: readonly string[] }
  | { readonly status: 'failed'; readonly reason: string; readonly differences: readonly Difference[] }
  | { readonly status: 'not-run'; readonly reason: string };

const MACHINE_FAULTS: ReadonlySet<Fault> = new Set(['operator', 'host']);

/** Sees an outcome with the eyes of a test, or without one: then it must be no failure. Pure. */
export function judgeRun(outcome: Outcome, test: TestCase | undefined): Verdict {
  const message = outcome.error?.message ?? '';
  // What this machine lacks is no fault of the plugin.
  if (outcome.error && MACHINE_FAULTS.has(ERRORS[outcome.error.code].fault)) return { status: 'not-run', reason: message };
  const needs = findNeeds(outcome);
  // A test may expect that a command fails for what it was refused, but not that nothing of it ran.
  if (needs !== undefined && (test?.error === undefined || outcome.error?.code === 'DISPATCH_NOT_PERMITTED')) {
    return { status: 'not-run', reason: `needs ${needs}` };
  }
  if (test?.error !== undefined) return judgeError(outcome, test.error);
  if (outcome.kind !== 'ok') {
    // A plugin that was asked for something made up may well say that it could not; one that breaks is broken.
    if (test === undefined && outcome.error?.code === 'EXECUTION_PLUGIN_FAILED' && answeredItself(outcome)) {
      return { status: 'ok', warnings: [`it answers made-up arguments with an error: ${ADD_A_TEST}`] };
    }
    return { status: 'failed', reason: `${outcome.error?.code ?? outcome.kind}: ${message}`, differences: [] };
  }
  const differences = [...matchOutput(outcome, test?.expect), ...matchFiles(outcome, test?.files)];
  return differences.length === 0
    ? { status: 'ok', warnings: [] }
    : { status: 'failed', reason: 'the result is not what the test expects', differences };
}

/** Whether the failure is an answer; a process that ended with another code than 0 broke instead of answering. */
const answeredItself = ({ exit }: Outcome): boolean => exit === undefined || exit === 'exit 0';

/** What a person has to allow before the run can show anything. */
function findNeeds({ kind, error, refusals }: Outcome): string | undefined {
  if (error?.code === 'DISPATCH_NOT_PERMITTED') return error.message;
  if (kind === 'ok' || refusals.length === 0) return undefined;
  return refusals
    .slice(0, 3)
    .map(({ capability, reason }) => `${capability} (${reason})`)
    .join('; ');
}

function judgeError(outcome: Outcome, wanted: true | string): Verdict {
  const failed = (expected: string, found: string): Verdict => ({
    status: 'failed',
    reason: 'the call does not fail as the test expects',
    differences: [{ path: '', expected, found }],
  });
  const shown = typeof wanted === 'string' ? `an error with ${showValue(wanted)}` : 'an error';
  // Arguments that the schema refuses are an error too, and a test of the schema.
  if (outcome.kind !== 'failed' && outcome.kind !== 'refused') return failed(shown, `the call ended as ${outcome.kind}`);
  const message = outcome.error?.message ?? '';
  if (typeof wanted === 'string' && !message.includes(wanted)) return failed(shown, showValue(message));
  return { status: 'ok', warnings: [] };
}

function matchOutput(outcome: Outcome, expect: TestCase['expect']): readonly Difference[] {
  if (expect === undefined) return [];
  if (typeof expect === 'string') {
    const text = textOf(outcome);
    return text.includes(expect) ? [] : [{ path: '', expected: `text with ${showValue(expect)}`, found: showValue(text) }];
  }
  if (outcome.structured !== undefined) return matchExpected(expect, outcome.structured);
  const { text, ...others } = expect;
  if (typeof text === 'string' && Object.keys(others).length === 0) return matchOutput(outcome, text);
  return [{ path: '', expected: 'an object', found: showValue(textOf(outcome)) }];
}

function matchFiles({ artifacts }: Outcome, files: TestCase['files']): readonly Difference[] {
  const names = artifacts.map((artifact) => artifact.name);
  return (files ?? [])
    .filter((file) => !names.includes(file))
    .map((file) => ({ path: '/files', expected: file, found: names.length === 0 ? 'no files' : names.join(', ') }));
}

/** What a caller reads first. */
export function textOf({ content }: Pick<Outcome, 'content'>): string {
  const first = content.find((item) => item.type === 'text');
  return first?.type === 'text' ? first.text : '';
}
