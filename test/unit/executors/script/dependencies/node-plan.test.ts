import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readNodePlan } from '../../../../../src/executors/script/dependencies/node-plan.ts';
import { writeFiles } from '../../../../helpers/package-registries.ts';
import { useTmp } from '../../../../helpers/tmp.ts';

const INTEGRITY = 'sha512-xyz';
const lockOf = (packages: object): string =>
  JSON.stringify({ lockfileVersion: 3, packages: { '': { dependencies: { a: '^1' } }, ...packages } });
const entry = (over: object = {}) => ({
  version: '1.0.0',
  resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz',
  integrity: INTEGRITY,
  ...over,
});

test.for(['lodash', 'lodash@^4', '@scope/name@1.2.3', 'a@>=1 <2 || ~3.1', 'a@latest', 'JSONStream@1.x'])(
  'readNodePlan() takes %s of a manifest',
  (spec, { expect: check }) => {
    check(readNodePlan(useTmp(), [spec])).toMatchObject({
      kind: 'plan',
      plan: { locked: false, wanted: [{ name: /^@?[^@]+/.exec(spec)?.[0] }] },
    });
  },
);

const FOREIGN = [
  '--registry=https://evil.example',
  'git+ssh://x',
  'user/repo',
  'a@https://x/a.tgz',
  'a@file:../x',
  'a@git://x',
  './a',
  '../a',
  'a b',
  '.bin',
  'a@npm:b',
  '',
];
test.for(FOREIGN)('readNodePlan() refuses "%s" of a manifest', (spec, { expect: check }) => {
  check(readNodePlan(useTmp(), [spec])).toMatchObject({ kind: 'refused' });
});

test('readNodePlan() lets nothing of a manifest through that npm would take for an option, a path or a URL', () => {
  const directory = useTmp();
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('', 'a@', '-', '@a/', './'), (text, before) => {
      const result = readNodePlan(directory, [before + text]);
      if (result.kind !== 'plan') return;
      const [wanted] = result.plan.wanted;
      expect(wanted?.name).toMatch(/^(?:@[a-z0-9~-][^/]*\/)?[A-Za-z0-9~-][^/]*$/);
      expect(wanted?.spec.slice(wanted.name.length)).not.toMatch(/[:/\\]/);
    }),
  );
});

test('readNodePlan() reads a lock: what is wanted, and where it lies', () => {
  const directory = useTmp();
  writeFiles(directory, {
    'package-lock.json': lockOf({
      'node_modules/a': entry(),
      'node_modules/a/node_modules/@s/b': entry({ version: '2.0.0', optional: true }),
      'node_modules/d': entry({ dev: true }),
      'node_modules/a/node_modules/c': { version: '1.0.0', inBundle: true },
    }),
  });
  expect(readNodePlan(directory, ['other'])).toMatchObject({
    kind: 'plan',
    plan: {
      source: 'package-lock.json',
      locked: true,
      wanted: [
        { name: 'a', version: '1.0.0', path: 'a', optional: false },
        { name: '@s/b', version: '2.0.0', path: 'a/node_modules/@s/b', optional: true },
        { name: 'c', path: 'a/node_modules/c' },
      ],
    },
  });
});

test.for([
  ['not JSON', '{', 'it is not JSON'],
  ['version 1', JSON.stringify({ lockfileVersion: 1, packages: {} }), 'has version 1'],
  ['a workspace', lockOf({ 'packages/a': entry() }), 'outside of node_modules'],
  ['a link', lockOf({ 'node_modules/a': { resolved: '../a', link: true } }), 'outside of node_modules'],
  ['a place above', lockOf({ 'node_modules/../../a': entry() }), 'outside of node_modules'],
  ['a repository', lockOf({ 'node_modules/a': entry({ resolved: 'git+ssh://git@x/a.git#1' }) }), 'from somewhere that is no registry'],
  ['a package without integrity', lockOf({ 'node_modules/a': entry({ integrity: undefined }) }), 'without integrity'],
] as const)('readNodePlan() refuses a lock with %s', ([, text, reason], { expect: check }) => {
  const directory = useTmp();
  writeFiles(directory, { 'package-lock.json': text });
  check(readNodePlan(directory, [])).toEqual({ kind: 'refused', reason: check.stringContaining(reason) });
});

test('readNodePlan() hands on of a package.json only what is needed', () => {
  const directory = useTmp();
  writeFiles(directory, {
    'package.json': JSON.stringify({
      name: 'x',
      scripts: { install: 'evil' },
      dependencies: { a: '^1', b: 'npm:@s/c@2' },
      optionalDependencies: { o: '*' },
    }),
  });
  const result = readNodePlan(directory, []);
  expect(result).toMatchObject({ plan: { wanted: [{ spec: 'a@^1' }, { spec: 'b@npm:@s/c@2' }, { spec: 'o@*', optional: true }] } });
  expect(JSON.stringify(result)).not.toContain('evil');
  writeFiles(directory, { 'package.json': JSON.stringify({ workspaces: ['a'] }) });
  expect(readNodePlan(directory, [])).toMatchObject({ kind: 'refused' });
  writeFiles(directory, { 'package.json': JSON.stringify({ dependencies: { a: 'github:x/y' } }) });
  expect(readNodePlan(directory, [])).toMatchObject({ kind: 'refused', reason: expect.stringContaining('"a@github:x/y"') });
});
