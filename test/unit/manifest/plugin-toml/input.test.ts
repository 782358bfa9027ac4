import { describe, expect, test } from 'vitest';

import { readInput } from '../../../../src/manifest/plugin-toml/input.ts';
import { createFindings } from '../../../../src/manifest/findings.ts';
import { formatProblem } from '../../../../src/manifest/problem.ts';

function read(input: Readonly<Record<string, unknown>> | undefined): { schema: unknown; problems: string[]; warnings: string[] } {
  const findings = createFindings({ file: 'F' });
  const schema = readInput(input, { path: ['input'], findings, reserved: ['action', 'root'] });
  return { schema, problems: findings.problems.map(formatProblem), warnings: findings.warnings.map(formatProblem) };
}

test('readInput() takes any arguments where the manifest has no schema', () => {
  expect(read(undefined)).toEqual({ schema: { type: 'object', additionalProperties: true }, problems: [], warnings: [] });
});

test('readInput() takes no arguments where the table is empty', () => {
  expect(read({}).schema).toEqual({ type: 'object', properties: {}, additionalProperties: false });
});

describe('readInput() makes of one parameter', () => {
  test.for<[definition: unknown, schema: unknown, required: boolean]>([
    ['string', { type: 'string' }, true],
    ['integer?', { type: 'integer' }, false],
    ['number[]', { type: 'array', items: { type: 'number' } }, true],
    ['boolean[]?', { type: 'array', items: { type: 'boolean' } }, false],
    [{ type: 'string' }, { type: 'string' }, true],
    [{ type: 'string?' }, { type: 'string' }, false],
    [{ type: 'string', required: true }, { type: 'string' }, true],
    [{ type: 'string', required: false }, { type: 'string' }, false],
    [{ type: 'integer', default: 5 }, { type: 'integer', default: 5 }, false],
    [{ type: 'integer', default: 5, required: true }, { type: 'integer', default: 5 }, true],
    [{ type: 'string[]', default: ['a'], maxItems: 3 }, { type: 'array', items: { type: 'string' }, default: ['a'], maxItems: 3 }, false],
    [{ type: 'string', enum: ['a', 'b'], examples: ['a'] }, { type: 'string', enum: ['a', 'b'], examples: ['a'] }, true],
    [{ type: 'object', description: 'd', title: 't' }, { type: 'object', description: 'd', title: 't' }, true],
  ])('%j', ([definition, schema, required], { expect }) => {
    expect(read({ x: definition })).toEqual({
      schema: { type: 'object', properties: { x: schema }, ...(required ? { required: ['x'] } : {}), additionalProperties: false },
      problems: [],
      warnings: [],
    });
  });
});

const TYPE_WANTED =
  'wanted string, integer, number, boolean, object, array, one of them with "[]" for a list, and "?" at the end for an optional parameter';

describe('readInput() names the mistake in', () => {
  test.for<[input: Readonly<Record<string, unknown>>, problems: string[]]>([
    [{ x: 'str' }, [`F: input.x is "str": ${TYPE_WANTED}`]],
    [{ x: 'string!' }, [`F: input.x is "string!": ${TYPE_WANTED}`]],
    [{ x: 1 }, ['F: input.x is the number 1: wanted a type such as "string", or a table with one']],
    [{ x: ['string'] }, ['F: input.x is a list of 1: wanted a type such as "string", or a table with one']],
    [{ x: {} }, [`F: input.x.type is missing: ${TYPE_WANTED}`]],
    [{ x: { type: 'text' } }, [`F: input.x.type is "text": ${TYPE_WANTED}`]],
    [{ x: { type: 'string', required: 'yes' } }, ['F: input.x.required is "yes": wanted true or false']],
    [{ x: { type: 'string?', required: true } }, ['F: input.x.required is true beside the optional type "string?": wanted one of them']],
    [{ x: { type: 'string', enum: [] } }, ['F: input.x.enum is a list of 0: wanted at least one value']],
    [{ x: { type: 'string', enum: ['a', 1] } }, ['F: input.x.enum[1] is the number 1: wanted a value of the type string']],
    [{ x: { type: 'integer', default: 1.5 } }, ['F: input.x.default is the number 1.5: wanted a value of the type integer']],
    [{ x: { type: 'boolean', default: 'no' } }, ['F: input.x.default is "no": wanted true or false']],
    [{ x: { type: 'string[]', default: 'no' } }, ['F: input.x.default is "no": wanted a value of the type array']],
    [
      { x: { type: 'string', default: new Date(0) } },
      ['F: input.x.default is a date or time without quotes: wanted a value that JSON has'],
    ],
    [{ x: { type: 'number', minimum: '1' } }, ['F: input.x.minimum is "1": wanted a number']],
    [{ x: { type: 'string', maxLength: -1 } }, ['F: input.x.maxLength is the number -1: wanted a whole number, 0 or more']],
    [
      { 'a b': 'string' },
      ['F: input."a b" is no name for a parameter: wanted 1 to 64 letters, digits, "_" or "-", beginning with a letter or "_"'],
    ],
    [{ root: 'string' }, ['F: input.root is set by the host in every request: wanted another name for the argument']],
    [{ action: 'string' }, ['F: input.action is set by the host in every request: wanted another name for the argument']],
    [
      { type: 'object', properties: { root: { type: 'string' } } },
      ['F: input.properties.root is set by the host in every request: wanted another name for the argument'],
    ],
    [{ $ref: '#/x', type: 'string' }, ['F: input.type is "string": wanted "object", for arguments have names']],
    [
      { type: 'object', properties: { x: { default: Number.NaN } } },
      ['F: input.properties.x.default is the number NaN: wanted a value that JSON has'],
    ],
    [
      Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`p${index}`, 'string'])),
      ['F: input has 65 parameters: wanted at most 64'],
    ],
  ])('%j', ([input, problems], { expect }) => {
    expect(read(input).problems).toEqual(problems);
  });
});

test('readInput() refuses an integer past 2^53', () => {
  expect(read({ x: { type: 'integer', default: 2n ** 60n } }).problems).toEqual([
    'F: input.x.default is an integer beyond 2^53: wanted a value that JSON has',
  ]);
});

describe('readInput() takes as a whole schema', () => {
  test.for<Readonly<Record<string, unknown>>>([
    { type: 'object' },
    { type: 'object', properties: { x: { type: 'string' } }, required: ['x'] },
    { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' },
    { properties: { type: { type: 'string' } } },
    { oneOf: [{ required: ['a'] }, { required: ['b'] }] },
  ])('%j', (input, { expect }) => {
    expect(read(input)).toEqual({ schema: { ...input, type: 'object' }, problems: [], warnings: [] });
  });
});

test('readInput() takes parameters that are called like keywords', () => {
  expect(read({ type: 'string', properties: { type: 'string' }, required: 'boolean' }).schema).toMatchObject({
    properties: { type: { type: 'string' }, properties: { type: 'string' }, required: { type: 'boolean' } },
    required: ['type', 'properties', 'required'],
  });
});

test('readInput() makes no property of __proto__', () => {
  const parameters = read(JSON.parse('{ "__proto__": "string" }') as Record<string, unknown>);
  expect(Object.getPrototypeOf((parameters.schema as { properties: object }).properties)).toBe(Object.prototype);
  expect(parameters.problems).toEqual(['F: input.__proto__ is a key that objects cannot hold: wanted another name']);
  const schema = read(JSON.parse('{ "type": "object", "properties": { "__proto__": {} } }') as Record<string, unknown>);
  expect(schema.problems).toEqual(['F: input.properties.__proto__ is a key that objects cannot hold: wanted another name']);
});
