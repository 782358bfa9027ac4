import { z } from 'zod';

import type { Findings } from '../findings.ts';
import { readPlainJson } from '../plain-json.ts';
import type { JsonSchema } from '../plugin.ts';
import { describeValue, quote, type KeyPath } from '../problem.ts';
import { textSchema } from '../text.ts';

export const MAX_PARAMETERS = 64;
const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const TYPES = ['string', 'integer', 'number', 'boolean', 'object', 'array'] as const;
type Type = (typeof TYPES)[number];

const TYPE = /^(?<type>string|integer|number|boolean|object|array)(?<list>\[\])?(?<optional>\?)?$/;
const TYPE_WANTED = `${TYPES.join(', ')}, one of them with "[]" for a list, and "?" at the end for an optional parameter`;

const text = (maxCharacters: number): z.ZodString => textSchema({ wanted: 'a string', maxCharacters });
const amount = z.number({ error: 'a number' }).optional();
const count = z
  .number({ error: 'a whole number, 0 or more' })
  .int({ error: 'a whole number, 0 or more' })
  .min(0, { error: 'a whole number, 0 or more' })
  .optional();

/** One parameter, long form; all but `type` and `required` mean what JSON Schema says. */
const ParameterSchema = z.object({
  type: z.string({ error: TYPE_WANTED }).regex(TYPE, { error: TYPE_WANTED }).describe('as in the short form'),
  required: z.boolean({ error: 'true or false' }).optional().describe('absent means true, unless there is a "?" or a default'),
  title: text(128).optional(),
  description: text(2_048).optional(),
  default: z.unknown().optional(),
  enum: z
    .array(z.unknown(), { error: 'a list of values' })
    .min(1, { error: 'at least one value' })
    .max(256, { error: 'at most 256 values' })
    .optional(),
  examples: z.array(z.unknown(), { error: 'a list of values' }).max(16, { error: 'at most 16 examples' }).optional(),
  minimum: amount,
  maximum: amount,
  minLength: count,
  maxLength: count,
  minItems: count,
  maxItems: count,
  items: z.record(z.string(), z.unknown(), { error: 'a JSON Schema of the members' }).optional(),
  properties: z.record(z.string(), z.unknown(), { error: 'JSON Schemas by name' }).optional(),
  pattern: text(256).optional(),
  format: text(64).optional(),
});
const PARAMETER_KEYS = Object.keys(ParameterSchema.shape);

/**
 * Our short way to write a command's arguments, one key for each:
 *
 *     input = { message = "string", tags = "string[]?", limit = { type = "integer", default = 50, description = "…" } }
 *
 * A parameter is required unless its type ends in `?`, it has a `default`, or `required = false`. Arguments that are not
 * listed are refused, so that a model learns of a misspelt one.
 */
export function readParameters(input: Readonly<Record<string, unknown>>, path: KeyPath, findings: Findings): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  const entries = Object.entries(input);
  if (entries.length > MAX_PARAMETERS) {
    findings.problem(path, `has ${entries.length} parameters: wanted at most ${MAX_PARAMETERS}`);
  }
  for (const [name, definition] of entries.slice(0, MAX_PARAMETERS)) {
    const at = [...path, name];
    const problem = findNameProblem(name);
    if (problem !== undefined) {
      findings.problem(at, problem);
      continue;
    }
    const parameter = readParameter(definition, at, findings);
    if (parameter === undefined) continue;
    properties[name] = parameter.schema;
    if (parameter.required) required.push(name);
  }
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}), additionalProperties: false };
}

/** What is wrong with a parameter's name, if anything is. */
export function findNameProblem(name: string): string | undefined {
  if (name === '__proto__') return 'is a key that objects cannot hold: wanted another name';
  if (PARAMETER_NAME.test(name)) return undefined;
  return 'is no name for a parameter: wanted 1 to 64 letters, digits, "_" or "-", beginning with a letter or "_"';
}

/** One parameter, in its short or its long form; undefined where it does not fit, problems recorded. */
export function readParameter(
  definition: unknown,
  path: KeyPath,
  findings: Findings,
): { readonly schema: JsonSchema; readonly required: boolean } | undefined {
  if (typeof definition === 'string') {
    const type = TYPE.exec(definition)?.groups;
    if (type !== undefined) return { schema: schemaOf(type), required: type['optional'] === undefined };
    findings.problem(path, `is ${quote(definition)}: wanted ${TYPE_WANTED}`);
    return undefined;
  }
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition)) {
    findings.problem(path, `is ${describeValue(definition)}: wanted a type such as "string", or a table with one`);
    return undefined;
  }
  const parameter = findings.parse(ParameterSchema, definition, path);
  if (parameter === undefined) return undefined;
  findings.warnOfUnknownKeys(definition as Readonly<Record<string, unknown>>, PARAMETER_KEYS, path);
  const { type: typeText, required, ...rest } = parameter;
  const type = TYPE.exec(typeText)?.groups ?? {};
  if (required === true && type['optional'] !== undefined) {
    findings.problem([...path, 'required'], `is true beside the optional type ${quote(typeText)}: wanted one of them`);
  }
  const json = readPlainJson(rest);
  if (!json.ok) {
    findings.problem([...path, ...json.path], json.message);
    return undefined;
  }
  const schema: JsonSchema = { ...schemaOf(type), ...(json.value as JsonSchema) };
  checkValues(schema, path, findings);
  return { schema, required: required ?? (type['optional'] === undefined && !('default' in rest)) };
}

function schemaOf(type: Readonly<Record<string, string | undefined>>): JsonSchema {
  return type['list'] === undefined ? { type: type['type'] } : { type: 'array', items: { type: type['type'] } };
}

/** A default or a choice of another type than the parameter's own could never be sent. */
function checkValues(schema: JsonSchema, path: KeyPath, findings: Findings): void {
  const type = schema['type'] as Type;
  const choices = (schema['enum'] as readonly unknown[] | undefined)?.entries() ?? [];
  const values: (readonly [KeyPath, unknown])[] = [...choices].map(([index, value]) => [['enum', index], value] as const);
  if ('default' in schema) values.push([['default'], schema['default']]);
  for (const [key, value] of values) {
    if (!isOfType(value, type))
      findings.problem(
        [...path, ...key],
        `is ${describeValue(value)}: wanted ${type === 'boolean' ? 'true or false' : `a value of the type ${type}`}`,
      );
  }
}

function isOfType(value: unknown, type: Type): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}
