import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { CapabilitiesSchema } from '../../../../src/manifest/kaizen/schema.ts';
import { tryParseCapability } from '../../../../src/policy/capability.ts';

const isAccepted = (text: string): boolean => CapabilitiesSchema.safeParse([text]).success;

describe('a script may ask for', () => {
  test.for([
    'read:fs:$ROOT',
    'read:fs:$ROOT/',
    'write:fs:$ROOT/docs/*.md',
    'read:fs:/srv/data/**',
    'read:fs:$ROOT/...odd/.hidden',
    'net:api.example.com:443',
    'net:*.example.com:*',
    'net:[::1]:8080',
    'net:127.0.0.1:80',
    'net:*',
    'net:[]',
    'env:API_KEY',
  ])('%s', (text, { expect }) => {
    expect(isAccepted(text)).toBe(true);
    expect(tryParseCapability(text)).not.toHaveProperty('issue');
  });
});

describe('a script may not ask for', () => {
  test.for([
    '',
    'read:fs:',
    'read:fs:docs',
    'read:fs:~/x',
    'read:fs:$HOME',
    'read:fs:$ROOTx',
    'read:fs:$ROOT/../x',
    'read:fs:$ROOT/..',
    'read:fs:$ROOT//x',
    'read:fs:/./x',
    'read:fs:/..',
    'read:fs:$ROOT/a\nb',
    'net:example.com',
    'net:example.com:0',
    'net:https://example.com:443',
    'net: :1',
    'env:',
    'env:1A',
    'env:A=B',
    'exec:git',
    'run:script',
    'storage:read',
  ])('%j', (text, { expect }) => {
    expect(isAccepted(text)).toBe(false);
  });
});

test('what a script may ask for is understood by the policy', () => {
  const part = fc.constantFrom('docs', 'a b', '*.md', '..', '.', '', '...', 'x.y', '.env', 'ü');
  const path = fc
    .tuple(fc.constantFrom('$ROOT', '$DATA', '$PLUGIN', '$RUN', ''), fc.array(part, { maxLength: 4 }))
    .map(([anchor, parts]) => [anchor, ...parts].join('/'));
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.constantFrom('*', 'localhost', '*.example.com', '[::1]'));
  const capability = fc.oneof(
    fc.tuple(fc.constantFrom('read', 'write'), path).map(([kind, at]) => `${kind}:fs:${at}`),
    fc.tuple(host, fc.nat(65_535)).map(([name, port]) => `net:${name}:${port}`),
    fc.string({ maxLength: 6 }).map((name) => `env:${name}`),
  );
  fc.assert(
    fc.property(capability, (text) => {
      if (isAccepted(text)) expect(tryParseCapability(text)).not.toHaveProperty('issue');
    }),
    { numRuns: 1_000 },
  );
});
