import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createArgumentCheck, findSchemaProblem } from '../../../src/catalog/argument-check.ts';
import type { JsonSchema } from '../../../src/manifest/plugin.ts';
import { objectSchema } from './fixtures.ts';

const DRAFT_07 = 'http://json-schema.org/draft-07/schema#';
const DRAFT_2020 = 'https://json-schema.org/draft/2020-12/schema';

describe('createArgumentCheck() names the path and what is wanted', () => {
  test.for([
    [objectSchema({ a: { type: 'string' } }), { a: 1 }, '/a', 'must be string'],
    [objectSchema({}, { required: ['a'] }), {}, '', "must have required property 'a'"],
    [objectSchema({}, { additionalProperties: false }), { b: 1 }, '', 'must NOT have additional properties, found "b"'],
    [objectSchema({ a: { enum: ['x', 2] } }), { a: 'y' }, '/a', 'must be equal to one of the allowed values: "x", 2'],
    [objectSchema({ a: { properties: { b: { maximum: 3 } } } }), { a: { b: 4 } }, '/a/b', 'must be <= 3'],
    [{ type: 'object' }, [], '', 'must be object'],
    [{ type: 'object' }, 'text', '', 'must be object'],
    [objectSchema({ a: { type: 'string', pattern: '^a+$' } }), { a: 'b' }, '/a', 'must match pattern "^a+$"'],
  ] as const)('%o refuses %o', ([schema, args, path, message]) => {
    expect(createArgumentCheck(schema)(args)).toEqual([{ path, message }]);
  });

  test('accepts what fits', () => {
    expect(createArgumentCheck(objectSchema({ a: { type: 'string', format: 'email' } }))({ a: 'no address', b: 1 })).toEqual([]);
  });

  test('cuts what a plugin makes long', () => {
    const values = Array.from({ length: 1_000 }, (_, i) => `${i}${'x'.repeat(1_000)}`);
    const [issue] = createArgumentCheck(objectSchema({ a: { enum: values } }))({ a: '' });
    expect(issue?.message).toHaveLength(1_000);
  });

  test('tells several patterns apart, whatever their order', () => {
    const check = createArgumentCheck(
      objectSchema({ a: { pattern: '^a+$' }, b: { pattern: '^b+$' } }, { patternProperties: { '^n_': { type: 'number' } } }),
    );
    expect(check({ a: 'aa', b: 'bb', n_x: 1 })).toEqual([]);
    expect(check({ b: 'aa' })).toEqual([{ path: '/b', message: 'must match pattern "^b+$"' }]);
    expect(check({ a: 'bb' })).toEqual([{ path: '/a', message: 'must match pattern "^a+$"' }]);
    expect(check({ n_x: 'one' })).toEqual([{ path: '/n_x', message: 'must be number' }]);
  });
});

describe('createArgumentCheck() follows the dialect', () => {
  const tuple = (keyword: string): JsonSchema => objectSchema({ a: { [keyword]: [{ type: 'string' }, { type: 'number' }] } });

  test.for([
    [DRAFT_07, 'items', true],
    [DRAFT_2020, 'prefixItems', true],
    [undefined, 'prefixItems', true],
    [DRAFT_07, 'prefixItems', false],
  ] as const)('%s with %s: enforced is %s', ([$schema, keyword, enforced]) => {
    const issues = createArgumentCheck({ ...($schema ? { $schema } : {}), ...tuple(keyword) })({ a: ['x', 'y'] });
    expect(issues).toEqual(enforced ? [{ path: '/a/1', message: 'must be number' }] : []);
  });

  test('for two loads of a schema with the same $id, each with its own', () => {
    const schema = (type: string): JsonSchema => ({ $id: 'https://a.test/same', ...objectSchema({ a: { type } }) });
    const old = createArgumentCheck(schema('string'));
    expect(old({ a: 1 })).toEqual([{ path: '/a', message: 'must be string' }]);
    expect(createArgumentCheck(schema('number'))({ a: 1 })).toEqual([]);
    expect(old({ a: 'x' })).toEqual([]);
  });
});

describe('createArgumentCheck() is not held up by', () => {
  test('a pattern that makes others backtrack', () => {
    const check = createArgumentCheck(objectSchema({ a: { pattern: '^(a+)+$' } }));
    expect(check({ a: `${'a'.repeat(50_000)}!` })).toEqual([{ path: '/a', message: 'must match pattern "^(a+)+$"' }]);
  });

  test('references that multiply', () => {
    const $defs: Record<string, unknown> = { d40: { type: 'string' } };
    for (let i = 0; i < 40; i++) $defs[`d${i}`] = { anyOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] };
    const check = createArgumentCheck(objectSchema({ a: { $ref: '#/$defs/d0' } }, { $defs }));
    expect(check({})).toEqual([]);
    expect(check({ a: 5 })).toEqual([{ path: '', message: 'the arguments cannot be checked: it took longer than 1000 ms' }]);
    expect(check({})).toEqual([]);
  });

  test('many references to one large part', () => {
    const many = (schema: JsonSchema): JsonSchema =>
      objectSchema(Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`p${i}`, schema])));
    const check = createArgumentCheck({ ...many({ $ref: '#/$defs/large' }), $defs: { large: many({ type: 'string' }) } });
    expect(check({ p1: { p899: 1 } })).toEqual([{ path: '/p1/p899', message: 'must be string' }]);
  });

  test('a schema that refers to itself and arguments nested 100,000 deep', () => {
    const check = createArgumentCheck({ type: 'object', properties: { a: { $ref: '#' } } });
    let args: unknown = {};
    for (let i = 0; i < 100_000; i++) args = { a: args };
    expect(check(args)).toEqual([{ path: '', message: 'the arguments cannot be checked: Maximum call stack size exceeded' }]);
    expect(check({ a: { a: {} } })).toEqual([]);
    expect(check({ a: { a: 1 } })).toEqual([{ path: '/a/a', message: 'must be object' }]);
  });
});

describe('createArgumentCheck() refuses every call when the schema is unusable:', () => {
  test.for([
    [{ type: 'strin' }, 'schema is invalid: data/type must be equal to one of the allowed values'],
    [objectSchema({ a: { pattern: '(?=a)' } }), 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
    [objectSchema({ a: { $ref: '#/$defs/none' } }), "can't resolve reference #/$defs/none from id #"],
  ] as const)('%o', ([schema, reason]) => {
    expect(findSchemaProblem(schema)).toContain(reason.slice(0, 40));
    const [issue] = createArgumentCheck(schema)({});
    expect(issue?.path).toBe('');
    expect(issue?.message).toContain('the tool’s own schema cannot be used: ');
    expect(issue?.message).toContain(reason.slice(0, 40));
  });

  test('a pattern of more than 1000 characters', () => {
    const longest = objectSchema({ a: { pattern: 'a'.repeat(1_000) } });
    expect(findSchemaProblem(longest)).toBeUndefined();
    expect(findSchemaProblem(objectSchema({ a: { pattern: 'a'.repeat(1_001) } }))).toBe(
      'a pattern of 1001 characters, at most 1000 are allowed',
    );
  });

  test('$async cannot turn the answer into a promise', () => {
    expect(createArgumentCheck({ $async: true, ...objectSchema({ a: { type: 'string' } }) })({ a: 1 })).toEqual([
      { path: '/a', message: 'must be string' },
    ]);
  });

  test('and nothing else: a usable one has no problem', () => {
    expect(findSchemaProblem(objectSchema({ a: { type: 'string' } }))).toBeUndefined();
  });

  test('never throws, whatever the schema and the arguments', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('type', 'properties', 'enum', '$ref', 'items', 'not', 'pattern'), fc.jsonValue()),
        fc.jsonValue(),
        (schema, args) => {
          expect(Array.isArray(createArgumentCheck(schema)(args))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});
