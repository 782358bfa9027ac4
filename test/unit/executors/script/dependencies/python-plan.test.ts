import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseRequirements, readPythonPlan } from '../../../../../src/executors/script/dependencies/python-plan.ts';
import { writeFiles } from '../../../../helpers/package-registries.ts';
import { useTmp } from '../../../../helpers/tmp.ts';

const HASH = `--hash=sha256:${'a'.repeat(64)}`;
const parse = (text: string, isLock = false) => parseRequirements(text, { source: 'it', isLock });

test.for([
  'requests',
  'requests==2.31',
  'Requests[socks,use_chardet] >= 2, < 3',
  'a~=1.0 ; python_version >= "3.8"',
  'zope.interface===5.0',
])('parseRequirements() takes %s', (line, { expect: check }) => {
  check(parse(line)).toMatchObject({ kind: 'plan', plan: { wanted: [{ spec: line }] } });
});

test.for([
  '--index-url https://evil.example/simple',
  '-e .',
  '-r other.txt',
  '--find-links .',
  'https://evil.example/a.whl',
  'a @ https://evil.example/a.whl',
  'git+https://evil.example/a',
  './a.whl',
  '../a',
  'a --global-option=x',
  'a==1 --hash=md5:00',
  'a==1; x @ y',
  'a\u0000b',
])('parseRequirements() refuses %s', (line, { expect: check }) => {
  check(parse(line)).toMatchObject({ kind: 'refused' });
});

test('parseRequirements() reads comments, continued lines, hashes and CRLF', () => {
  const text = `\uFEFF# made by a tool\r\na==1.0 \\\r\n    ${HASH} \\\r\n    ${HASH}  # via b\r\n\r\n`;
  expect(parse(text, true)).toEqual({
    kind: 'plan',
    plan: {
      source: 'it',
      locked: true,
      hashed: true,
      wanted: [{ name: 'a', spec: 'a==1.0', version: '1.0', optional: false }],
      files: { 'requirements.txt': `a==1.0 ${HASH} ${HASH}\n` },
    },
  });
});

test('parseRequirements() wants exact versions of a lock, and hashes for all or none', () => {
  expect(parse('a>=1', true)).toEqual({ kind: 'refused', reason: 'it names "a>=1" without one exact version, as a lock must' });
  expect(parse('a==1.*', true)).toMatchObject({ kind: 'refused' });
  expect(parse(`a==1 ${HASH}\nb==1`, true)).toEqual({ kind: 'refused', reason: 'it has hashes for some packages and not for others' });
});

test('parseRequirements() lets nothing through that pip would read as an option, a path or a URL', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom('', '-', '--', 'a @ ', 'a ', 'a==1 -'), (text, before) => {
      const result = parse(before + text);
      if (result.kind !== 'plan') return;
      for (const line of (result.plan.files['requirements.txt'] ?? '').trimEnd().split('\n')) {
        expect(line).toMatch(/^[A-Za-z0-9]/);
        expect(line).not.toMatch(/[@/\\]|:\/\/|\s-(?!-hash=)/);
      }
    }),
  );
});

test('readPythonPlan() prefers a lock to the manifest, and the manifest to a list', () => {
  const directory = useTmp();
  expect(readPythonPlan(directory, [])).toEqual({ kind: 'nothing' });
  writeFiles(directory, { 'requirements.txt': 'listed\n' });
  expect(readPythonPlan(directory, [])).toMatchObject({
    plan: { source: 'requirements.txt', locked: false, wanted: [{ name: 'listed' }] },
  });
  expect(readPythonPlan(directory, ['declared'])).toMatchObject({ plan: { source: 'the manifest', wanted: [{ name: 'declared' }] } });
  writeFiles(directory, { 'requirements.txt': `hashed==1 ${HASH}\n` });
  expect(readPythonPlan(directory, ['declared'])).toMatchObject({ plan: { source: 'requirements.txt', locked: true, hashed: true } });
  writeFiles(directory, { 'requirements.lock': 'locked==1\n' });
  expect(readPythonPlan(directory, ['declared'])).toMatchObject({ plan: { source: 'requirements.lock', locked: true, hashed: false } });
});
