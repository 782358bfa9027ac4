import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createArgumentCheck } from '../../../src/catalog/argument-check.ts';
import type { JsonSchema } from '../../../src/manifest/plugin.ts';
import { deriveArguments } from '../../../src/trials/derive-arguments.ts';

const object = (properties: Record<string, unknown>, required = Object.keys(properties)): JsonSchema => ({
  type: 'object',
  properties,
  required,
});

/** The value made for one required property. */
function derive(form: unknown): unknown {
  const derived = deriveArguments(object({ value: form }));
  return derived.ok ? derived.arguments['value'] : derived.reason;
}

describe('deriveArguments()', () => {
  test.for([
    [{ type: 'string', default: 'x', enum: ['y'] }, 'x'],
    [{ type: 'string', examples: ['e', 'f'] }, 'e'],
    [{ enum: ['one', 'two'] }, 'one'],
    [{ const: 7 }, 7],
    [{ type: 'string' }, 'a'],
    [{ type: 'string', minLength: 4 }, 'aaaa'],
    [{ type: 'string', maxLength: 0 }, ''],
    [{ type: 'string', format: 'date' }, '2025-01-31'],
    [{ type: 'string', pattern: '^[A-Z]{2}\\d$' }, 'AA0'],
    [{ type: 'integer' }, 1],
    [{ type: 'integer', minimum: 5 }, 5],
    [{ type: 'integer', maximum: -3 }, -3],
    [{ type: 'integer', exclusiveMinimum: 2.5, multipleOf: 4 }, 4],
    [{ type: 'number', minimum: 0.5, maximum: 0.5 }, 0.5],
    [{ type: 'integer', minimum: 6, maximum: 7, multipleOf: 5 }, 'no arguments can be made from its schema'],
    [{ type: 'boolean' }, false],
    [{ type: 'null' }, null],
    [{ type: ['null', 'string'] }, 'a'],
    [{ type: 'array' }, []],
    [{ type: 'array', minItems: 3, uniqueItems: true, items: { type: 'integer' } }, [1, 2, 3]],
    [{ minLength: 2 }, 'aa'],
    [{ properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a'] }, { a: 'a' }],
    [{ type: 'object', properties: { a: { type: 'string' } }, minProperties: 1 }, { a: 'a' }],
    [{ anyOf: [false, { type: 'integer', minimum: 3 }] }, 3],
    [{ oneOf: [{ type: 'string', pattern: '(?=x)' }, { type: 'boolean' }] }, false],
    [{ allOf: [{ type: 'integer' }, { minimum: 9 }] }, 9],
    [true, null],
    [false, 'no arguments can be made from its schema'],
  ] as const)('makes of %j the value %j', ([form, value]) => {
    expect(derive(form)).toEqual(value);
  });

  test('leaves out what is not required, and takes {} for a schema without anything', () => {
    expect(deriveArguments(object({ a: { type: 'string' }, b: { type: 'string' } }, ['b']))).toEqual({ ok: true, arguments: { b: 'a' } });
    expect(deriveArguments({})).toEqual({ ok: true, arguments: {} });
    expect(deriveArguments({ type: 'object' })).toEqual({ ok: true, arguments: {} });
  });

  test('follows references into the same schema, and gives up on one that never ends', () => {
    const $defs = {
      word: { type: 'string', minLength: 2 },
      loop: { type: 'object', required: ['next'], properties: { next: { $ref: '#/$defs/loop' } } },
    };
    expect(deriveArguments({ ...object({ word: { $ref: '#/$defs/word' } }), $defs })).toEqual({ ok: true, arguments: { word: 'aa' } });
    expect(deriveArguments({ ...object({ loop: { $ref: '#/$defs/loop' } }), $defs })).toMatchObject({ ok: false });
    expect(deriveArguments({ ...object({ none: { $ref: '#/$defs/none' } }), $defs })).toMatchObject({ ok: false });
  });

  const leaf = fc.oneof(
    fc.record({ type: fc.constant('string'), minLength: fc.nat(20) }),
    fc.record({ type: fc.constant('integer'), minimum: fc.integer({ min: -50, max: 50 }) }),
    fc.record({ type: fc.constant('number'), exclusiveMaximum: fc.integer({ min: -50, max: 50 }) }),
    fc.record({
      type: fc.constant('integer'),
      exclusiveMinimum: fc.integer({ min: -50, max: 50 }),
      multipleOf: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({ type: fc.constant('boolean') }),
    fc.record({ enum: fc.array(fc.jsonValue({ maxDepth: 1 }), { minLength: 1, maxLength: 3 }) }),
  );
  const { schema } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.record({ type: fc.constant('array'), minItems: fc.nat(3), items: tie('schema') }),
      fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
      fc
        .dictionary(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 2 }), tie('schema'), {
          maxKeys: 3,
          noNullPrototype: true,
        })
        .map((properties) => ({ ...object(properties), additionalProperties: false })),
    ),
  }));

  test('makes arguments that the schema’s own validator takes', () => {
    fc.assert(
      fc.property(schema, (form) => {
        const whole = object({ value: form });
        const derived = deriveArguments(whole);
        expect(derived).toMatchObject({ ok: true });
        if (derived.ok) expect(createArgumentCheck(whole)(derived.arguments)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('never throws, whatever a schema holds', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(
            'type',
            'properties',
            'required',
            'items',
            'anyOf',
            'allOf',
            '$ref',
            'pattern',
            'minItems',
            'minimum',
            'multipleOf',
            'examples',
          ),
          fc.jsonValue(),
        ),
        (form) => {
          expect(deriveArguments(form)).toHaveProperty('ok');
        },
      ),
    );
  });
});
