import fc from 'fast-check';
import { expect, test } from 'vitest';

import { scanBody, type BodyKind } from '../../../src/policy/body-scan.ts';

const alnum = (length: number): string => 'aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z'.repeat(9).slice(0, length);

test.for<[string, BodyKind]>([
  [`token=ghp_${alnum(36)}`, 'GitHub token'],
  [`gho_${alnum(36)}`, 'GitHub token'],
  [`github_pat_${alnum(22)}_${alnum(59)}`, 'GitHub token'],
  [`glpat-${alnum(20)}`, 'GitLab token'],
  ['key AKIAIOSFODNN7EXAMPLE', 'AWS key'],
  ['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'AWS key'],
  [`"sk-${alnum(48)}"`, 'AI provider key'],
  [`sk-proj-${alnum(48)}`, 'AI provider key'],
  [`sk-ant-api03-${alnum(40)}-${alnum(40)}`, 'AI provider key'],
  [['xoxb', '123456789012', '1234567890123', alnum(24)].join('-'), 'Slack token'],
  [`https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/${alnum(24)}`, 'Slack token'],
  [`AIza${alnum(35)}`, 'Google key'],
  [['sk', 'live', alnum(24)].join('_'), 'Stripe key'],
  [`npm_${alnum(36)}`, 'npm token'],
  ['-----BEGIN OPENSSH PRIVATE KEY-----', 'private key'],
  ['-----BEGIN PRIVATE KEY-----', 'private key'],
  ['-----BEGIN PGP PRIVATE KEY BLOCK-----', 'private key'],
  [`eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${alnum(43)}`, 'JSON web token'],
  [`Authorization: Bearer ${alnum(32)}`, 'authorization header'],
  [`"authorization":"Basic ${alnum(24)}"`, 'authorization header'],
  [`curl -H bearer ${alnum(32)}`, 'authorization header'],
  ['write to jane.doe+x@example.org please', 'email address'],
  ['{"to":"jane@gmail.com"}', 'email address'],
  ['josé@bücher.example', 'email address'],
  ['to=jane%40example.org&x=1', 'email address'],
  [String.raw`{"to":"jane\u0040example.org"}`, 'email address'],
  ['call +49 30 1234567', 'phone number'],
  ['+1 (555) 010-9999', 'phone number'],
  ['tel:+442071838750', 'phone number'],
  ['4111 1111 1111 1111', 'payment card'],
  ['card:5500-0000-0000-0004;', 'payment card'],
  ['378282246310005', 'payment card'],
  ['3782 822463 10005', 'payment card'],
  ['DE89 3704 0044 0532 0130 00', 'bank account'],
  ['iban GB82WEST12345698765432.', 'bank account'],
  ['NO9386011117947', 'bank account'],
  ['DE89 3704 0044 0532 0130 00 THANK YOU', 'bank account'],
  ['ssn 123-45-6789', 'social security number'],
])('scanBody() finds in %j: %s', ([body, kind], { expect }) => {
  expect(scanBody(body)).toContain(kind);
  expect(scanBody(`{"a":1}\n${body}\n`)).toContain(kind);
});

test.for([
  '',
  'task-list and risk-free in Slovakia',
  'a desk-organizer-for-2024-and-later-with-many-words',
  'sk-learn-based-classifiers-are-very-nice-to-use',
  '2026-05-11T14:32:00.123456789-04:00',
  '2026-05-11T14:32:00+02:00 2026-05-11 14:32:00 +0200',
  '123e4567-e89b-12d3-a456-426614174000',
  '12345678-4539-1488-8343-646712345678',
  'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
  '{"id":1731999999123456,"n":-12.5e+10,"list":[1,2,3],"f":0.4111111111111111}',
  '4111111111111112',
  '+10 -20 +3.14159265358979',
  '1e+1234567890123',
  'npm install @scope/package@1.2.3 and @types/node',
  'git@github.com:owner/repo.git',
  'user@localhost',
  '@mention and a @ b.com',
  'the bearer of responsibilities is internationalization',
  'DE00 3704 0044 0532 0130 00',
  'XX12 ABCD EFGH IJKL MNOP',
  '000-12-3456 and 666-12-3456 and 912-34-5678 and 123-00-4567',
  '-----BEGIN PUBLIC KEY-----',
  'AKIA is a prefix; ghp_ and gho_ too; xoxb- also; eyJ starts tokens',
  'version 10.20.30.40 port 8080, 1,234,567,890 items, 12345678901234567890',
  'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
])('scanBody() finds nothing in %j', (body, { expect }) => {
  expect(scanBody(body)).toEqual([]);
});

test('scanBody() refuses what is too long to scan', () => {
  expect(scanBody('x'.repeat(16 * 1024 * 1024 + 1))).toEqual(['oversized body']);
});

test('scanBody() finds a token wherever it stands', () => {
  const filler = fc.string().filter((text) => scanBody(text).length === 0);
  fc.assert(
    fc.property(filler, filler, (before, after) => {
      expect(scanBody(`${before} AKIAIOSFODNN7EXAMPLE ${after}`)).toContain('AWS key');
    }),
  );
});

const LENGTH = 4 * 1024 * 1024;
test.for([
  ['prose', 'the quick brown fox jumps over 13 lazy dogs, twice a day. '],
  ['at signs', 'a@'],
  ['long locals', `${'a'.repeat(63)}@b.`],
  ['token starts', 'eyJ'],
  ['dotted tokens', 'eyJaaaaaaaa.'],
  ['key starts', 'sk-'],
  ['key runs', 'sk-aaaaaaaaaaaaaaaaaaaaaaaaaaaa '],
  ['slack starts', 'xoxb-'],
  ['digits', '4111 '],
  ['all digits', '1'],
  ['pluses', '+1'],
  ['capitals', 'DE89 3704 0044 0532 '],
  ['bearers', 'bearer  '],
  ['authorizations', 'authorization:       '],
  ['dashes', '-----BEGIN PRIVATE KEY '],
  ['percents', '%41%'],
  ['escapes', String.raw`\u0041`],
] as const)('scanBody() reads 4 MiB of %s in linear time', ([, unit], { expect }) => {
  const body = unit.repeat(Math.ceil(LENGTH / unit.length));
  const startedMs = performance.now();
  scanBody(body);
  expect(performance.now() - startedMs).toBeLessThan(5000);
});
