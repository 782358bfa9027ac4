import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { listParameters, readPairs, readWords } from '../../../src/commands/tool-arguments.ts';
import type { JsonSchema } from '../../../src/manifest/plugin.ts';
import { objectSchema } from '../catalog/fixtures.ts';

const SCHEMA = objectSchema(
  {
    limit: { type: 'integer' },
    message: { type: 'string', description: 'what to keep' },
    dry_run: { type: 'boolean' },
    tags: { type: 'array' },
    ids: { type: 'array', items: { type: 'integer' } },
    ratio: { type: ['number', 'null'] },
    extra: { type: 'object' },
    anything: {},
    nothing: { type: 'null' },
  },
  { required: ['message'], additionalProperties: false },
);
const OPEN = objectSchema({ constructor: { type: 'array' } });

const argsOf = (schema: JsonSchema, words: readonly string[]): unknown => {
  const reading = readWords(schema, words);
  return reading.ok ? reading.args : reading.problem;
};

describe('listParameters()', () => {
  test('lists required ones first, with their types', () => {
    expect(listParameters(SCHEMA).slice(0, 3)).toEqual([
      { name: 'message', type: 'string', itemType: 'any', description: 'what to keep', required: true },
      { name: 'limit', type: 'integer', itemType: 'any', description: '', required: false },
      { name: 'dry_run', type: 'boolean', itemType: 'any', description: '', required: false },
    ]);
    expect(listParameters(SCHEMA).map((one) => one.type)).toEqual([
      'string',
      'integer',
      'boolean',
      'array',
      'array',
      'number',
      'object',
      'any',
      'null',
    ]);
  });

  test.for([
    {},
    { properties: [] },
    { properties: { a: true }, required: 'a' },
    { properties: { a: { type: 7, description: {} } }, required: [1] },
  ])('takes any schema: %o', (schema) => {
    expect(listParameters(schema).every((one) => one.type === 'any' && one.description === '' && !one.required)).toBe(true);
  });
});

describe('readWords()', () => {
  test.for([
    [['a thought'], { message: 'a thought' }],
    [['-5'], { message: '-5' }],
    [['x', '--limit', '3'], { message: 'x', limit: 3 }],
    [['--limit=3', 'x'], { message: 'x', limit: 3 }],
    [['--message', '5'], { message: '5' }],
    [['--message=a=b'], { message: 'a=b' }],
    [['--message='], { message: '' }],
    [['x', '--dry-run'], { message: 'x', dry_run: true }],
    [['--dry_run', 'x'], { message: 'x', dry_run: true }],
    [['x', '--no-dry-run'], { message: 'x', dry_run: false }],
    [['x', '--dry-run=false'], { message: 'x', dry_run: false }],
    [['x', '--tags', 'a', '--tags=b'], { message: 'x', tags: ['a', 'b'] }],
    [['x', '--tags', '["a",1]'], { message: 'x', tags: ['a', 1] }],
    [['x', '--tags', '7'], { message: 'x', tags: ['7'] }],
    [['x', '--ids', '1', '--ids', '2'], { message: 'x', ids: [1, 2] }],
    [['x', '--ratio', '.5'], { message: 'x', ratio: 0.5 }],
    [['x', '--extra', '{"a":1}'], { message: 'x', extra: { a: 1 } }],
    [['x', '--anything', '{"a":1}'], { message: 'x', anything: { a: 1 } }],
    [['x', '--anything', '{a'], { message: 'x', anything: '{a' }],
    [['x', '--nothing', 'null'], { message: 'x', nothing: null }],
    [['--limit', '1', '--', '--message'], { limit: 1, message: '--message' }],
    [['--limit', '--', 'x'], 'option "--limit" is "--", wanted is a whole number'],
    [['x', 'y'], '"y" is one word too many: 1 wanted (quote a text of several words)'],
    [['--message', 'x', 'y'], '"y" is one word too many: 0 wanted (quote a text of several words)'],
    [['--limit'], 'option "--limit" wants a value'],
    [['--limit', 'x'], 'option "--limit" is "x", wanted is a whole number'],
    [['--limit', '1.5'], 'option "--limit" is "1.5", wanted is a whole number'],
    [['--limit', ' '], 'option "--limit" is " ", wanted is a whole number'],
    [['--limit', '9007199254740993'], 'option "--limit" is "9007199254740993", wanted is a whole number'],
    [['--ratio', 'Infinity'], 'option "--ratio" is "Infinity", wanted is a number'],
    [['--ids', 'x'], 'option "--ids" is "x", wanted is a whole number'],
    [['--dry-run=yes'], 'option "--dry-run" is "yes", wanted is true or false'],
    [['--extra', '[]'], 'option "--extra" is "[]", wanted is a JSON object'],
    [['--nothing', '0'], 'option "--nothing" is "0", wanted is null'],
    [['--none', '1'], 'unknown option "--none", known are --message --limit --dry_run --tags --ids --ratio --extra --anything --nothing'],
    [
      ['--no-limit'],
      'unknown option "--no-limit", known are --message --limit --dry_run --tags --ids --ratio --extra --anything --nothing',
    ],
  ] as const)('reads %o', ([words, wanted]) => {
    expect(argsOf(SCHEMA, words)).toEqual(wanted);
  });

  test('takes unknown options where the schema is open', () => {
    expect(argsOf({ type: 'object' }, ['--count', '3', '--name', 'x'])).toEqual({ count: 3, name: 'x' });
    expect(argsOf(objectSchema({}, { additionalProperties: false }), ['--x', '1'])).toBe('unknown option "--x", known are none');
  });

  test('takes a parameter with the name of an object’s own member', () => {
    expect(argsOf(OPEN, ['--constructor', 'a', '--constructor', 'b'])).toEqual({ constructor: ['a', 'b'] });
    expect(argsOf(OPEN, ['--toString', 'a'])).toEqual({ toString: 'a' });
  });

  test('changes no prototype', () => {
    const reading = readWords(OPEN, ['--__proto__', '{"polluted":true}']);
    expect(reading.ok && Object.getPrototypeOf(reading.args)).toBe(Object.prototype);
    expect(reading.ok && Object.keys(reading.args)).toEqual(['__proto__']);
  });

  test('never throws, whatever the words', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('--', '--limit', '--tags', '--no-dry-run', '--=', '---', '--__proto__', '--constructor'),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), fc.constantFrom(SCHEMA, OPEN, {}), (words, schema) => {
        expect(typeof readWords(schema, words).ok).toBe('boolean');
      }),
    );
  });
});

describe('readPairs()', () => {
  test.for([
    [['message=x', 'limit=3'], { message: 'x', limit: 3 }],
    [['message=a=b'], { message: 'a=b' }],
    [['tags=a', 'tags=b'], { tags: ['a', 'b'] }],
    [['unknown=3'], { unknown: 3 }],
    [['message='], { message: '' }],
  ] as const)('reads %o', ([pairs, args]) => {
    expect(readPairs(SCHEMA, pairs)).toEqual({ ok: true, args });
  });

  test.for([
    ['message', '--arg is "message", wanted is name=value'],
    ['=x', '--arg is "=x", wanted is name=value'],
    ['limit=x', '--arg "limit" is "x", wanted is a whole number'],
  ] as const)('refuses %o', ([pair, problem]) => {
    expect(readPairs(SCHEMA, [pair])).toEqual({ ok: false, problem });
  });
});
