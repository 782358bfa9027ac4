import { expect, test } from 'vitest';

import { BODY_KINDS } from '../../../src/policy/body-scan.ts';
import { tryParseCapability } from '../../../src/policy/capability.ts';
import { GIT_SUBCOMMANDS } from '../../../src/policy/command-git-subcommands.ts';
import { RULED_PROGRAMS } from '../../../src/policy/command-rules.ts';
import { ANCHORS } from '../../../src/policy/path-pattern.ts';
import { ABSENT_IN_FILE, ABSENT_WITHOUT_FILE, POLICY_KEYS, PolicyFileSchema, RuleSchema } from '../../../src/policy/policy.ts';
import { findSensitiveName, SENSITIVE_GLOBS } from '../../../src/policy/sensitive-names.ts';
import { readPage } from '../../helpers/console-examples.ts';
import { readCodes, readSection, readTableBelow } from '../../helpers/markdown-table.ts';

const PAGE = readPage('docs/permissions.md');
const BUILT_IN = readSection(PAGE, '## Built-in refusals');
const firstCells = (heading: string): readonly string[] => readTableBelow(PAGE, heading).flatMap(([cell = '']) => readCodes(cell));
const paragraph = (beginning: string): string => BUILT_IN.split('\n\n').find((text) => text.startsWith(beginning)) ?? '';

test('docs/permissions.md lists every policy key with what its absence means', () => {
  const rows = readTableBelow(PAGE, '## Policy').filter((row) => row.length === 4);
  const told = rows.map(([key, , inFile, without]) => `${key} ${inFile} ${without}`);
  const wanted = POLICY_KEYS.map((key) => `\`${key}\` \`${ABSENT_IN_FILE[key]}\` \`${ABSENT_WITHOUT_FILE[key]}\``);
  expect(told.toSorted()).toEqual(wanted.toSorted());
  expect(Object.keys(PolicyFileSchema.shape).filter((key) => !PAGE.includes(`\`${key}\``) && key !== 'rule')).toEqual([]);
});

test('docs/permissions.md lists every field of a rule, and no other', () => {
  expect(firstCells('### Rules')).toEqual(Object.keys(RuleSchema.shape));
});

test('docs/permissions.md lists every anchor, and no other', () => {
  const anchors = readTableBelow(PAGE, '## Capabilities').flatMap(([cell = '']) => readCodes(cell).filter((code) => code.startsWith('$')));
  expect(anchors).toEqual([...ANCHORS]);
});

test('docs/permissions.md writes capabilities that can be read', () => {
  const written = readTableBelow(PAGE, '## Capabilities')
    .flatMap(([cell = '']) => readCodes(cell))
    .filter((code) => !code.startsWith('$'))
    .map((code) => code.replace('<path>', '$ROOT').replace('<program>', 'git').replace('<host>', 'a.test').replace('<port>', '443'))
    .map((code) => code.replace('<kind>', 'wasm').replace('<NAME>', 'HOME'));
  expect(written.length).toBeGreaterThan(8);
  expect(written.filter((text) => 'issue' in tryParseCapability(text))).toEqual([]);
});

test('docs/permissions.md lists every name that is never read, and no other', () => {
  expect(readCodes(paragraph('**Files that no plugin reads or writes**')).toSorted()).toEqual([...SENSITIVE_GLOBS].toSorted());
});

test('docs/permissions.md lists names that are read and never written', () => {
  const names = readCodes(paragraph('**Files that no plugin writes**')).filter((name) => name !== '');
  const isWriteOnly = (name: string): boolean => {
    const segments = name.split('/');
    return findSensitiveName(segments, 'read') === undefined && findSensitiveName(segments, 'write') === name;
  };
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !isWriteOnly(name))).toEqual([]);
});

test('docs/permissions.md lists every kind that a body is scanned for, and no other', () => {
  const list = /These block a request: ([^.]+)\./.exec(paragraph('**Request bodies**'))?.[1] ?? '';
  expect(list.split(', ')).toEqual([...BODY_KINDS]);
});

test('docs/permissions.md lists every program and git subcommand, and no other', () => {
  const commands = paragraph('**Commands.**');
  expect(readCodes(commands)).toEqual([...RULED_PROGRAMS]);
  expect(/git reads only: ([^.]+)\./.exec(commands)?.[1]?.split(', ')).toEqual([...GIT_SUBCOMMANDS.keys()]);
});
