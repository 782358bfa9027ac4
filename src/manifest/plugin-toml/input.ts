import type { Findings } from '../findings.ts';
import { readPlainJson } from '../plain-json.ts';
import type { JsonSchema } from '../plugin.ts';
import { describeValue, type KeyPath } from '../problem.ts';
import { readParameters } from './parameters.ts';

/** No schema exists upstream, so an open one is the only faithful answer where the manifest has none (agentzero.md §4). */
export const openSchema = (): JsonSchema => ({ type: 'object', additionalProperties: true });

export interface InputOptions {
  readonly path: KeyPath;
  readonly findings: Findings;
  /** Members of every request that the host sets, so that no argument can have their names. */
  readonly reserved?: readonly string[];
}

/** The arguments of a command as JSON Schema, from a table of parameters or a whole schema. */
export function readInput(
  input: Readonly<Record<string, unknown>> | undefined,
  { path, findings, reserved = [] }: InputOptions,
): JsonSchema {
  if (input === undefined) return openSchema();
  const schema = isJsonSchema(input) ? readSchema(input, path, findings) : readParameters(input, path, findings);
  for (const name of reserved) {
    if (isTable(schema['properties']) && Object.hasOwn(schema['properties'], name)) {
      const at = isJsonSchema(input) ? [...path, 'properties', name] : [...path, name];
      findings.problem(at, 'is set by the host in every request: wanted another name for the argument');
    }
  }
  return schema;
}

/**
 * Tells a whole schema from a table of parameters: `type = "object"`, a key with `$`, a list of alternatives, or
 * `properties` as a table of tables. A parameter that is itself called `type` or `properties` needs the long form.
 */
export function isJsonSchema(input: Readonly<Record<string, unknown>>): boolean {
  if (input['type'] === 'object' || Object.keys(input).some((key) => key.startsWith('$'))) return true;
  if (['allOf', 'anyOf', 'oneOf'].some((key) => Array.isArray(input[key]))) return true;
  const properties = input['properties'];
  return isTable(properties) && typeof properties['type'] !== 'string';
}

/** A whole schema, whose root must be an object. */
export function readSchema(input: Readonly<Record<string, unknown>>, path: KeyPath, findings: Findings): JsonSchema {
  const json = readPlainJson(input);
  if (!json.ok) {
    findings.problem([...path, ...json.path], json.message);
    return openSchema();
  }
  const type = input['type'];
  if (type !== undefined && type !== 'object') {
    findings.problem([...path, 'type'], `is ${describeValue(type)}: wanted "object", for arguments have names`);
  }
  return { ...(json.value as JsonSchema), type: 'object' };
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
