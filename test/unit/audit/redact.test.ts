import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { boundValue, maskValues, REDACTED, redactArguments } from '../../../src/audit/redact.ts';

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U';

describe('redactArguments() hides by name', () => {
  test.for([
    'password',
    'db_password',
    'apiKey',
    'API-KEY',
    'access_token',
    'Authorization',
    'Cookie',
    'client_secret',
    'pin',
    'otp',
    'private_key',
    'credentials',
    'sessionId',
  ])('%s', (name) => {
    expect(redactArguments({ [name]: 'x', deep: [{ [name]: { any: 1 } }] })).toEqual({ [name]: REDACTED, deep: [{ [name]: REDACTED }] });
  });

  test.for(['path', 'author', 'spinner', 'key', 'passenger', 'monkey', 'compass'])('not %s', (name) => {
    expect(redactArguments({ [name]: 'x' })).toEqual({ [name]: 'x' });
  });

  test('not measures of tokens', () => {
    expect(redactArguments({ max_tokens: 400, token: 400, has_token: true })).toEqual({
      max_tokens: 400,
      token: REDACTED,
      has_token: true,
    });
  });

  test('the secret settings of a plugin', () => {
    expect(redactArguments({ vaultName: 'x', 'vault-name': 'y', vault: 'z' }, { secretNames: ['vault_name'] })).toEqual({
      vaultName: REDACTED,
      'vault-name': REDACTED,
      vault: 'z',
    });
  });

  test('headers in a list and words after a flag', () => {
    expect(
      redactArguments([
        { name: 'Authorization', value: 'x' },
        { key: 'TOKEN', value: 1 },
        { name: 'Accept', value: 'x' },
      ]),
    ).toEqual([
      { name: 'Authorization', value: REDACTED },
      { key: 'TOKEN', value: REDACTED },
      { name: 'Accept', value: 'x' },
    ]);
    expect(redactArguments(['--password', 'hunter2', '--path', 'x'])).toEqual(['--password', REDACTED, '--path', 'x']);
  });
});

describe('redactArguments() hides by shape', () => {
  test.for([
    [`sk-ant-${'x1-'.repeat(8)}`, REDACTED],
    [`see ghp_${'a1B2'.repeat(9)} there`, `see ${REDACTED} there`],
    ['key AKIAIOSFODNN7EXAMPLE', `key ${REDACTED}`],
    [`Bearer ${jwt}`, `Bearer ${REDACTED}`],
    [`it is ${jwt}`, `it is ${REDACTED}`],
    ['Authorization: Basic dXNlcjpwYXNz', `Authorization: ${REDACTED} ${REDACTED}`],
    ['postgres://bob:pw@db/x', `postgres://${REDACTED}@db/x`],
    ['https://x/?a=1&token=abc&b=2', `https://x/?a=1&token=${REDACTED}&b=2`],
    ['curl --data \'{"password": "a b"}\'', `curl --data '{"password": ${REDACTED}}'`],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest', `${REDACTED}\nrest`],
    ['-----BEGIN PRIVATE KEY-----\nMIIE', REDACTED],
    ['wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY', REDACTED],
  ] as const)('%j', ([text, masked]) => {
    expect(redactArguments({ text })).toEqual({ text: masked });
  });

  test.for([
    'notes/2026/some-rather-long-file-name-in-kebab-case.md',
    '550e8400-e29b-41d4-a716-446655440000',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'https://example.org/a/b?c=d',
    'Remember: the milk = white',
    'aVeryLongCamelCaseIdentifierWithoutDigitsInIt',
  ])('not %j', (text) => {
    expect(redactArguments(text)).toBe(text);
  });

  test('secrets that are keys', () => {
    expect(redactArguments({ AKIAIOSFODNN7EXAMPLE: 1 })).toEqual({ [REDACTED]: 1 });
  });

  test('given values wherever they stand', () => {
    expect(redactArguments({ a: 'x hunter2 y' }, { secretValues: ['hunter2', 'x'] })).toEqual({ a: `x ${REDACTED} y` });
  });

  test('secrets that a cut would leave half of', () => {
    const text = `${'a '.repeat(120)}sk-ant-${'Q7'.repeat(200)}`;
    expect(JSON.stringify(redactArguments(text))).not.toMatch(/sk-ant|Q7/);
    for (let pad = 0; pad < 1100; pad += 7)
      expect(JSON.stringify(redactArguments(`${'- '.repeat(pad)}${jwt} ${'z '.repeat(600)}`))).not.toContain('eyJ');
  });

  test('secrets at the edge of the window, after text that masking made shorter', () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${'M'.repeat(900)}\n-----END PRIVATE KEY-----\n`;
    for (let pad = 0; pad < 60; pad++)
      expect(JSON.stringify(redactArguments(`${key}${' '.repeat(pad)}${'kQ7x'.repeat(30)}`))).not.toContain('kQ7x');
  });
});

describe('redactArguments() bounds', () => {
  test('long strings', () => {
    expect(redactArguments('ab '.repeat(1000))).toBe(`${'ab '.repeat(86).slice(0, 256)}…[cut, 3000 characters]`);
  });
  test('depth', () => {
    let nested: unknown = 'x';
    for (let at = 0; at < 5000; at++) nested = [nested];
    expect(JSON.stringify(redactArguments(nested))).toBe('[[[[[[[["[array of 1, cut]"]]]]]]]]');
  });
  test('lists and objects', () => {
    expect(redactArguments(Array.from({ length: 100 }, () => 1))).toEqual([...Array.from({ length: 64 }, () => 1), '[36 more, cut]']);
    expect(redactArguments(Object.fromEntries(Array.from({ length: 70 }, (_, at) => [`k${at}`, 1])))).toMatchObject({
      '…': '[6 more, cut]',
    });
  });
  test('anything to 48 KiB of JSON, without changing it', () => {
    const wild = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 6 },
        fc.string({ unit: 'binary', maxLength: 2000 }),
        fc.double(),
        fc.array(tie('node'), { maxLength: 80 }),
        fc.dictionary(fc.string(), tie('node')),
      ),
    })).node;
    fc.assert(
      fc.property(wild, (value) => {
        const before = JSON.stringify(value);
        expect(Buffer.byteLength(JSON.stringify(redactArguments(value)) ?? '')).toBeLessThan(48 * 1024);
        expect(JSON.stringify(value)).toBe(before);
      }),
      { numRuns: 100 },
    );
    const worst = Array.from({ length: 64 }, () => Array.from({ length: 64 }, () => '\0'.repeat(300)));
    expect(Buffer.byteLength(JSON.stringify(redactArguments(worst)))).toBeLessThan(48 * 1024);
  });
});

test('boundValue() keeps a member called __proto__ from becoming the prototype', () => {
  const bounded = boundValue(JSON.parse('{"__proto__":{"admin":true}}'));
  expect(JSON.stringify(bounded)).toBe('{"[__proto__]":{"admin":true}}');
  expect(Object.getPrototypeOf(bounded)).toBe(Object.prototype);
});

test.for([null, 1, true, 'x', [], {}, { a: [null] }])('redactArguments() keeps %j as it is', (value) => {
  expect(redactArguments(value)).toEqual(value);
});

describe('maskValues()', () => {
  test('takes known values out of a text, the longest first, and leaves short ones', () => {
    expect(maskValues('abcd abcdef ab', ['abcd', 'abcdef', 'ab', ''])).toBe(`${REDACTED} ${REDACTED} ab`);
    expect(maskValues('abcd', [])).toBe('abcd');
  });
  test('leaves nothing of a value that is longer than what is kept of a text', () => {
    const secret = 'k'.repeat(5_000);
    expect(JSON.stringify(redactArguments({ text: `x ${secret} y` }, { secretValues: [secret] }))).toBe(`{"text":"x ${REDACTED} y"}`);
  });
});
