import { z } from 'zod';

import type { Findings } from '../findings.ts';
import { isJsonSchema, readInput, readSchema } from '../plugin-toml/input.ts';
import { findNameProblem, MAX_PARAMETERS, readParameter } from '../plugin-toml/parameters.ts';
import type { JsonSchema } from '../plugin.ts';
import { describeValue, formatKey, quote, type KeyPath } from '../problem.ts';
import type { Sidecar } from './schema.ts';

const TableSchema = z.record(z.string(), z.unknown(), { error: 'an object with name and type' });
const SchemaSchema = z.record(z.string(), z.unknown(), { error: 'a JSON Schema' });
const NameSchema = z.string({ error: 'the name of the argument' });

/** No arguments but those that are listed, so that a model learns of a misspelt one (kaizen.md, “Parameter types”). */
const closedSchema = (): JsonSchema => ({ type: 'object', properties: {}, additionalProperties: false });

/**
 * The arguments of a sidecar as JSON Schema: `parameters` as Kaizen’s list, as a JSON Schema or as our short form, or
 * `schema`, which is what Kaizen keeps in its database. A sidecar with neither takes no arguments.
 */
export function readSidecarInput({ parameters, schema }: Pick<Sidecar, 'parameters' | 'schema'>, findings: Findings): JsonSchema {
  if (parameters !== undefined && schema !== undefined) {
    findings.problem(['schema'], 'stands beside parameters: wanted one of them');
  }
  if (parameters === undefined && schema !== undefined) {
    const table = findings.parse(SchemaSchema, schema, ['schema']);
    return table === undefined ? closedSchema() : readSchema(table, ['schema'], findings);
  }
  if (parameters === undefined) {
    findings.warn([], 'has no parameters, so that its tool takes no arguments: wanted a list of them, empty where that is meant');
    return closedSchema();
  }
  if (Array.isArray(parameters)) return readParameterList(parameters, findings);
  if (typeof parameters !== 'object' || parameters === null) {
    findings.problem(['parameters'], `is ${describeValue(parameters)}: wanted a list of parameters or a JSON Schema`);
    return closedSchema();
  }
  const table = { ...parameters } as Readonly<Record<string, unknown>>;
  return isJsonSchema(table) ? readSchema(table, ['parameters'], findings) : readInput(table, { path: ['parameters'], findings });
}

/** Kaizen’s list: a parameter is required only where it says so, as with the box that its page has for that. */
function readParameterList(list: readonly unknown[], findings: Findings): JsonSchema {
  if (list.length > MAX_PARAMETERS) {
    findings.problem(['parameters'], `has ${list.length} parameters: wanted at most ${MAX_PARAMETERS}`);
  }
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  const firstByName = new Map<string, KeyPath>();
  for (const [index, item] of list.slice(0, MAX_PARAMETERS).entries()) {
    const path = ['parameters', index];
    const table = findings.parse(TableSchema, item, path);
    if (table === undefined) continue;
    const { name: given, ...definition } = table;
    const name = findings.parse(NameSchema, given, [...path, 'name']);
    const parameter = readParameter(definition, path, findings);
    if (name === undefined || parameter === undefined) continue;
    const problem = findNameProblem(name);
    const first = firstByName.get(name);
    if (problem !== undefined) findings.problem([...path, 'name'], problem);
    else if (first !== undefined) {
      findings.problem([...path, 'name'], `is ${quote(name)}, which ${formatKey(first)} has already: wanted a name of its own`);
    } else {
      firstByName.set(name, path);
      properties[name] = parameter.schema;
      if (definition['required'] === true) required.push(name);
    }
  }
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}), additionalProperties: false };
}
