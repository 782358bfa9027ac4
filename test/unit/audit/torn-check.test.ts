import { hash } from 'node:crypto';

import { expect, test } from 'vitest';

import type { ChainState } from '../../../src/audit/chain-check.ts';
import { createFindings } from '../../../src/audit/findings.ts';
import { NO_HASH } from '../../../src/audit/line.ts';
import { createTornCheck, type FragmentPosition } from '../../../src/audit/torn-check.ts';

const place = { file: '2026-01-31.jsonl', line: 7 };
const chain = '0123456789abcdef';
const other = 'fedcba9876543210';
const torn = (seq: number, of = chain): string => `{"v":1,"chain":"${of}","seq":${seq},"prev":"${'a'.repeat(40)}`;
const stateAt = (seq: number): ChainState => ({ seq, hash: NO_HASH, day: '2026-01-31', closed: false, place });

const NOTED = 'a write did not finish here, which the record after it says';
const KILLED = 'a write did not finish here: its process was killed, or is writing now';
const ALIEN = 'the line is not a record of the journal';
const CUT = `record 5 of chain ${chain} was cut after it had been written`;

interface Case {
  readonly text: string;
  readonly position: FragmentPosition;
  readonly vouched?: readonly string[];
  readonly written?: number;
  readonly anchored?: number;
  readonly problem?: string;
  readonly warning?: string;
}

test.for<[string, Case]>([
  ['the next record of a chain, cut at the end', { text: torn(5), position: 'end', written: 4, anchored: 4, warning: KILLED }],
  ['the next record of a chain, before one of another', { text: torn(5), position: 'before', written: 4, warning: KILLED }],
  ['too little to tell of whom', { text: '{"v":1,"ch', position: 'end', written: 4, warning: KILLED }],
  ['the next record of a chain alone on a line', { text: torn(5), position: 'alone', written: 4, problem: ALIEN }],
  ['a record that its chain went on after', { text: torn(5), position: 'before', written: 6, problem: CUT }],
  ['a record that a head says was written', { text: torn(5), position: 'end', written: 4, anchored: 5, problem: CUT }],
  ['what no record begins with', { text: 'hello', position: 'end', problem: ALIEN }],
  ['a record’s beginning and then something else', { text: `{"v":1,"chain":"${'?'.repeat(300)}`, position: 'end', problem: ALIEN }],
  ['a fragment that is vouched for', { text: torn(5), position: 'alone', vouched: [torn(5)], written: 9, warning: NOTED }],
  ['a fragment of another digest', { text: torn(5), position: 'alone', vouched: [torn(6)], written: 9, problem: ALIEN }],
  [
    'two vouched for in a row',
    { text: torn(5) + torn(2, other), position: 'before', vouched: [torn(2, other), torn(5)], written: 9, warning: NOTED },
  ],
  ['one vouched for and one not', { text: torn(5) + 'x', position: 'before', vouched: [torn(5)], written: 9, problem: ALIEN }],
])('createTornCheck() judges %s', ([, { text, position, vouched = [], written, anchored, problem, warning }]) => {
  const problems = createFindings();
  const warnings = createFindings();
  const check = createTornCheck(problems, warnings);
  check.fragment(Buffer.from(text), position, place);
  check.vouch(vouched.map((fragment) => ({ bytes: fragment.length, digest: hash('sha256', fragment, 'hex') })));
  const chains = new Map(written === undefined ? [] : [[chain, stateAt(written)]]);
  const heads = new Map(anchored === undefined ? [] : [[chain, { chain, seq: anchored, hash: NO_HASH, closed: false }]]);
  check.end(chains, heads);
  expect(problems.list()).toEqual(problem === undefined ? [] : [{ ...place, reason: problem }]);
  expect(warnings.list()).toEqual(warning === undefined ? [] : [{ ...place, reason: warning }]);
});
