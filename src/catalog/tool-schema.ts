import type { JsonSchema } from '../manifest/plugin.ts';
import type { ArgumentIssue, ToolDefinition } from './catalog.ts';

type ObjectSchema = ToolDefinition['inputSchema'];
export type NormalisedSchema = { readonly ok: true; readonly schema: ObjectSchema } | { readonly ok: false; readonly problem: string };

/** Deeper or larger schemas cost every client more than a tool is worth. */
const MAX_DEPTH = 32;
const MAX_NODES = 2_000;
const COMBINATORS = ['oneOf', 'anyOf', 'allOf'] as const;
const DIALECTS = /^https?:\/\/json-schema\.org\/(draft\/2020-12|draft\/2019-09|draft-07|draft-06)\/schema#?$/;

/**
 * The form of an input schema that every client can take (DESIGN.md, “schemas”; mcp.md §2, §6): root `type: object`,
 * root combinators folded into the properties, `$id` removed, `x-mcp-header` refused, no reference to the network.
 * `$async` is no JSON Schema at all, it belongs to the validator that we use.
 */
export function normaliseInputSchema(schema: JsonSchema): NormalisedSchema {
  const problem = findProblem(schema);
  if (problem !== undefined) return { ok: false, problem };
  const { $id: _id, ...rest } = schema;
  const folded = foldCombinators(rest);
  const type = folded['type'];
  if (type !== undefined && type !== 'object' && !(Array.isArray(type) && type.includes('object'))) {
    return { ok: false, problem: `the root type is ${JSON.stringify(type)}, wanted is "object"` };
  }
  return { ok: true, schema: { ...folded, type: 'object' } };
}

function findProblem(schema: JsonSchema): string | undefined {
  const dialect = schema['$schema'];
  if (dialect !== undefined && !(typeof dialect === 'string' && DIALECTS.test(dialect))) {
    return `"$schema" is ${JSON.stringify(dialect)}, wanted is JSON Schema 2020-12, 2019-09, draft-07 or draft-06`;
  }
  let nodes = 0;
  let level: unknown[] = [schema];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      if (++nodes > MAX_NODES) return `it has more than ${MAX_NODES} parts`;
      for (const [key, member] of Object.entries(value)) {
        if (key === 'x-mcp-header') return 'it uses "x-mcp-header", which would copy arguments into HTTP headers';
        if (key === '$async') return 'it uses "$async", which is not part of JSON Schema';
        if ((key === '$ref' || key === '$dynamicRef') && typeof member === 'string' && !member.startsWith('#')) {
          return `"${key}" is ${JSON.stringify(member)}, wanted is a reference into the same schema ("#…")`;
        }
        next.push(member);
      }
    }
    level = next;
  }
  return undefined;
}

/**
 * Clients flatten root combinators or skip the tool, so their properties move to the root: required where all demand
 * them (`allOf`: where any does). The looser schema is what clients see; the host validates against it too.
 */
function foldCombinators(schema: JsonSchema): JsonSchema {
  const present = COMBINATORS.filter((key) => Array.isArray(schema[key]));
  if (present.length === 0) return schema;
  const properties = new Map(Object.entries(asObject(schema['properties'])));
  const required = new Set<string>(asStrings(schema['required']));
  const rest = Object.fromEntries(Object.entries(schema).filter(([key]) => !COMBINATORS.some((combinator) => combinator === key)));
  for (const key of present) {
    const branches = (schema[key] as unknown[]).map((branch) => resolveBranch(schema, branch));
    for (const [name, forms] of collectForms(branches)) {
      const [only] = forms;
      // One form per branch, as the tag of a tagged union has; the root’s own form holds for all of them.
      if (!properties.has(name)) properties.set(name, forms.length === 1 ? only : { [key === 'allOf' ? 'allOf' : 'anyOf']: forms });
    }
    const demanded = branches.map((branch) => new Set(asStrings(branch['required'])));
    for (const name of demanded.flatMap((names) => [...names])) {
      if (key === 'allOf' || demanded.every((names) => names.has(name))) required.add(name);
    }
  }
  // A branch’s own properties must not fall to a closed root that never knew them.
  return { ...rest, properties: Object.fromEntries(properties), ...(required.size > 0 ? { required: [...required].sort() } : {}) };
}

/** The different schemas that branches give each property, in their order. */
function collectForms(branches: readonly JsonSchema[]): ReadonlyMap<string, readonly unknown[]> {
  const forms = new Map<string, Map<string, unknown>>();
  for (const branch of branches) {
    for (const [name, form] of Object.entries(asObject(branch['properties']))) {
      const known = forms.get(name) ?? new Map<string, unknown>();
      forms.set(name, known.set(JSON.stringify(form), form));
    }
  }
  return new Map([...forms].map(([name, known]) => [name, [...known.values()]]));
}

/** A branch that is nothing but a name for a definition of the same schema stands for that definition. */
function resolveBranch(schema: JsonSchema, branch: unknown): JsonSchema {
  const ref = asObject(branch)['$ref'];
  const [, keyword = '', name = ''] = (typeof ref === 'string' && /^#\/(\$defs|definitions)\/([\w.-]+)$/.exec(ref)) || [];
  const definitions = asObject(schema[keyword]);
  return asObject(name !== '' && Object.hasOwn(definitions, name) ? definitions[name] : branch);
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
const asStrings = (value: unknown): string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);

/** Checks arguments; made by `createArgumentCheck`. */
export type ArgumentCheck = (args: unknown) => readonly ArgumentIssue[];
