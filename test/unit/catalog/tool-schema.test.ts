import { describe, expect, test } from 'vitest';

import { createArgumentCheck } from '../../../src/catalog/argument-check.ts';
import { normaliseInputSchema } from '../../../src/catalog/tool-schema.ts';
import type { JsonSchema } from '../../../src/manifest/plugin.ts';

function normalise(schema: JsonSchema): JsonSchema {
  const result = normaliseInputSchema(schema);
  if (!result.ok) throw new Error(result.problem);
  return result.schema;
}
const problemOf = (schema: JsonSchema): string | undefined => {
  const result = normaliseInputSchema(schema);
  return result.ok ? undefined : result.problem;
};
const nest = (depth: number): JsonSchema => (depth === 0 ? {} : { properties: { a: nest(depth - 1) } });

describe('normaliseInputSchema() gives the root', () => {
  test.for([
    ['no type', {}, { type: 'object' }],
    ['type object', { type: 'object', title: 'T' }, { type: 'object', title: 'T' }],
    ['type object or null', { type: ['object', 'null'] }, { type: 'object' }],
    ['an $id', { $id: 'https://a.test/s', type: 'object' }, { type: 'object' }],
    [
      'a known dialect',
      { $schema: 'http://json-schema.org/draft-07/schema#' },
      { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' },
    ],
  ] as const)('type object: %s', ([, schema, wanted]) => {
    expect(normalise(schema)).toEqual(wanted);
  });

  test('without changing its input', () => {
    const schema = { $id: 'x', oneOf: [{ properties: { a: {} }, required: ['a'] }] };
    const before = structuredClone(schema);
    normalise(schema);
    expect(schema).toEqual(before);
  });
});

describe('normaliseInputSchema() refuses', () => {
  test.for([
    ['another root type', { type: 'string' }, 'the root type is "string", wanted is "object"'],
    ['root types without object', { type: ['string', 'array'] }, 'the root type is ["string","array"], wanted is "object"'],
    [
      'an unknown dialect',
      { $schema: 'https://evil.test/schema' },
      '"$schema" is "https://evil.test/schema", wanted is JSON Schema 2020-12, 2019-09, draft-07 or draft-06',
    ],
    ['a dialect that is no text', { $schema: 7 }, '"$schema" is 7, wanted is JSON Schema 2020-12, 2019-09, draft-07 or draft-06'],
    [
      'x-mcp-header anywhere',
      { properties: { a: { items: { 'x-mcp-header': 'X-A' } } } },
      'it uses "x-mcp-header", which would copy arguments into HTTP headers',
    ],
    ['$async anywhere', { allOf: [{ $async: true }] }, 'it uses "$async", which is not part of JSON Schema'],
    [
      'a reference to the network',
      { properties: { a: { $ref: 'https://a.test/s' } } },
      '"$ref" is "https://a.test/s", wanted is a reference into the same schema ("#…")',
    ],
    [
      'a reference to a file',
      { $dynamicRef: 'other.json#/a' },
      '"$dynamicRef" is "other.json#/a", wanted is a reference into the same schema ("#…")',
    ],
    ['more than 32 levels', nest(17), 'it is nested deeper than 32 levels'],
    [
      'more than 2000 parts',
      { properties: Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`p${i}`, {}])) },
      'it has more than 2000 parts',
    ],
  ] as const)('%s', ([, schema, problem]) => {
    expect(problemOf(schema)).toBe(problem);
  });

  test('nothing that is at its limits', () => {
    expect(problemOf(nest(16))).toBeUndefined();
    expect(problemOf({ properties: Object.fromEntries(Array.from({ length: 1_998 }, (_, i) => [`p${i}`, {}])) })).toBeUndefined();
  });

  test('a schema nested 100,000 deep without overflowing the stack', () => {
    let schema: JsonSchema = {};
    for (let i = 0; i < 100_000; i++) schema = { not: schema };
    expect(problemOf(schema)).toBe('it is nested deeper than 32 levels');
  });
});

describe('normaliseInputSchema() folds root combinators', () => {
  const a = { properties: { a: { type: 'string' }, shared: { type: 'number' } }, required: ['a', 'shared'] };
  const b = { properties: { b: { type: 'string' }, shared: { type: 'number' } }, required: ['b', 'shared'] };

  test.for(['oneOf', 'anyOf'] as const)('%s: what all branches demand is required', (key) => {
    expect(normalise({ type: 'object', [key]: [a, b] })).toEqual({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' }, shared: { type: 'number' } },
      required: ['shared'],
    });
  });

  test('allOf: what any branch demands is required', () => {
    expect(normalise({ allOf: [a, b], required: ['z'] })['required']).toEqual(['a', 'b', 'shared', 'z']);
  });

  test.for([
    ['oneOf', { anyOf: [{ const: 'x' }, { const: 'y' }] }],
    ['anyOf', { anyOf: [{ const: 'x' }, { const: 'y' }] }],
    ['allOf', { allOf: [{ const: 'x' }, { const: 'y' }] }],
  ] as const)('%s: forms of one property that differ stay next to each other', ([key, wanted]) => {
    const branches = [
      { properties: { kind: { const: 'x' } } },
      { properties: { kind: { const: 'y' } } },
      { properties: { kind: { const: 'x' } } },
    ];
    expect(normalise({ [key]: branches })['properties']).toEqual({ kind: wanted });
  });

  test('every branch of a tagged union passes the check', () => {
    const check = createArgumentCheck(
      normalise({
        oneOf: [
          { properties: { kind: { const: 'file' }, path: { type: 'string' } }, required: ['kind', 'path'] },
          { properties: { kind: { const: 'url' }, url: { type: 'string' } }, required: ['kind', 'url'] },
        ],
        additionalProperties: false,
      }),
    );
    expect(check({ kind: 'file', path: 'p' })).toEqual([]);
    expect(check({ kind: 'url', url: 'u' })).toEqual([]);
    expect(check({ kind: 'other' })).not.toEqual([]);
    expect(check({ path: 'p' })).not.toEqual([]);
  });

  test.for(['$defs', 'definitions'])('branches that name a definition in %s', (keyword) => {
    const folded = normalise({ oneOf: [{ $ref: `#/${keyword}/A` }, { $ref: `#/${keyword}/Missing` }], [keyword]: { A: a } });
    expect(folded['properties']).toEqual(a.properties);
    expect(folded['required']).toBeUndefined();
  });

  test('the root’s own form of a property holds for all branches', () => {
    expect(normalise({ properties: { a: { type: 'integer' } }, anyOf: [a] })['properties']).toEqual({
      a: { type: 'integer' },
      shared: { type: 'number' },
    });
  });

  test.for(['constructor', 'toString', 'hasOwnProperty'])('a property called %s is one like any other', (name) => {
    expect(normalise({ anyOf: [{ properties: { [name]: { type: 'string' } } }] })['properties']).toEqual({ [name]: { type: 'string' } });
  });

  test('a property called __proto__ changes no prototype', () => {
    const folded = normalise(JSON.parse('{"anyOf":[{"properties":{"__proto__":{"type":"string"}}}]}') as JsonSchema);
    expect(Object.getPrototypeOf(folded['properties'])).toBe(Object.prototype);
    expect(Object.hasOwn(folded['properties'] as object, '__proto__')).toBe(true);
  });

  test('nothing where branches are no objects', () => {
    expect(normalise({ anyOf: [true, null, 'x', []] })).toEqual({ type: 'object', properties: {} });
  });
});
