import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { artifactUri, numberName, sanitizeName, tryParseArtifactUri } from '../../../src/artifacts/artifact-name.ts';

describe('sanitizeName()', () => {
  test.for([
    ['report.txt', 'report.txt'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\x\\notes.md', 'notes.md'],
    ['.bashrc', 'bashrc'],
    ['..', 'artifact'],
    ['', 'artifact'],
    ['a b\tc\n.json', 'a_b_c_.json'],
    ['résumé.pdf', 'resume.pdf'],
    ['日本.txt', '_.txt'],
    ['CON.txt', '_CON.txt'],
    ['console.txt', 'console.txt'],
    ['a\0b', 'a_b'],
    [`${'x'.repeat(200)}.tar`, `${'x'.repeat(92)}.tar`],
  ] as const)('makes %j into %j', ([wanted, name]) => {
    expect(sanitizeName(wanted)).toBe(name);
  });

  test('always makes a name whose URI reads back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 2, max: 9999 }), (wanted, count) => {
        const name = sanitizeName(wanted);
        expect(tryParseArtifactUri(artifactUri('call-1', name))).toEqual({ callId: 'call-1', name });
        const numbered = numberName(name, count);
        expect(tryParseArtifactUri(artifactUri('call-1', numbered))).toEqual({ callId: 'call-1', name: numbered });
        expect(numbered).not.toBe(name);
      }),
    );
  });
});

test.for([
  'artifact://call/../x',
  'artifact://../x',
  'artifact://call/..',
  'artifact://call/.x.json',
  'artifact://call/%2e%2e',
  'artifact://call/a/b',
  'artifact://call/',
  'artifact:///x',
  'artifact://ca.ll/x',
  'file:///etc/passwd',
  'artifact://call/x\0',
  'artifact://call/x\n',
  'ARTIFACT://call/x',
  '',
])('tryParseArtifactUri() refuses %j', (uri) => {
  expect(tryParseArtifactUri(uri)).toBeUndefined();
});
