import type { JsonSchema } from '../manifest/plugin.ts';
import { trySamplePattern } from './sample-pattern.ts';

/** Deeper schemas refer to themselves; a plain input ends before. */
const MAX_DEPTH = 12;
const MAX_ITEMS = 64;
const MAX_TEXT_CHARACTERS = 4_096;

/** A value of each format that a schema may ask a text for (JSON Schema 2020-12, “Defined Formats”). */
const FORMAT_SAMPLES: Readonly<Record<string, string>> = {
  date: '2025-01-31',
  'date-time': '2025-01-31T12:00:00Z',
  time: '12:00:00Z',
  duration: 'P1D',
  email: 'someone@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  'uri-reference': '/',
  uuid: '00000000-0000-4000-8000-000000000000',
  regex: 'a',
  'json-pointer': '',
};

export type DerivedArguments =
  | { readonly ok: true; readonly arguments: Readonly<Record<string, unknown>> }
  /** A sentence fragment. */
  | { readonly ok: false; readonly reason: string };

/**
 * Arguments for a trial run made from an input schema (kaizen.md, “Pipeline”: “test inputs derived from the schema, `{}` if
 * none”): only what is required, each value the default, the first example, the first allowed one, or else the shortest
 * that fits. Pure; whether the schema takes them is for its validator to say.
 */
export function deriveArguments(schema: JsonSchema): DerivedArguments {
  const value = deriveValue(schema, { root: schema, depth: 0 });
  if (value === NOTHING) return { ok: false, reason: 'no arguments can be made from its schema' };
  // A root without `type` takes anything, arguments are always an object.
  return { ok: true, arguments: isObject(value) ? value : {} };
}

/** No value: undefined is none of JSON’s, but a symbol cannot be mistaken for a missing key. */
const NOTHING = Symbol('nothing');
type Derived = unknown;

interface Place {
  readonly root: JsonSchema;
  readonly depth: number;
}

function deriveValue(schema: unknown, place: Place): Derived {
  if (schema === true) return null;
  if (!isObject(schema) || place.depth > MAX_DEPTH) return NOTHING;
  const given = findGiven(schema);
  if (given !== NOTHING) return given;
  const inner = { root: place.root, depth: place.depth + 1 };
  if (typeof schema['$ref'] === 'string') {
    const { $ref, ...beside } = schema;
    const target = resolveReference(place.root, String($ref));
    return isObject(target) ? deriveValue({ ...target, ...beside }, inner) : NOTHING;
  }
  if (Array.isArray(schema['allOf'])) {
    const { allOf, ...rest } = schema;
    return deriveValue(
      (allOf as unknown[]).reduce<JsonSchema>((joined, part) => joinSchemas(joined, part, place.root), rest),
      inner,
    );
  }
  for (const keyword of ['oneOf', 'anyOf']) {
    const branches = schema[keyword];
    if (!Array.isArray(branches)) continue;
    const { [keyword]: _branches, ...rest } = schema;
    for (const branch of branches.slice(0, MAX_ITEMS)) {
      const value = branch === false ? NOTHING : deriveValue(joinSchemas(rest, branch, place.root), inner);
      if (value !== NOTHING) return value;
    }
    return NOTHING;
  }
  return deriveOfType(schema, typeOf(schema), inner);
}

/** What the author of the schema wrote down as a value. */
function findGiven(schema: JsonSchema): Derived {
  for (const keyword of ['const', 'default']) if (Object.hasOwn(schema, keyword)) return schema[keyword];
  for (const keyword of ['examples', 'enum']) {
    const values = schema[keyword];
    if (Array.isArray(values) && values.length > 0) return values[0];
  }
  return NOTHING;
}

const TYPE_KEYWORDS: readonly (readonly [type: string, keywords: readonly string[]])[] = [
  ['object', ['properties', 'required', 'additionalProperties', 'minProperties', 'patternProperties']],
  ['array', ['items', 'prefixItems', 'minItems', 'uniqueItems']],
  ['string', ['minLength', 'maxLength', 'pattern', 'format']],
  ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']],
];

function typeOf(schema: JsonSchema): string {
  const { type } = schema;
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) return String(type.find((one) => one !== 'null') ?? 'null');
  return TYPE_KEYWORDS.find(([, keywords]) => keywords.some((keyword) => Object.hasOwn(schema, keyword)))?.[0] ?? 'null';
}

function deriveOfType(schema: JsonSchema, type: string, place: Place): Derived {
  switch (type) {
    case 'object':
      return deriveObject(schema, place);
    case 'array':
      return deriveArray(schema, place);
    case 'string':
      return deriveText(schema);
    case 'integer':
    case 'number':
      return deriveNumber(schema, type === 'integer' ? 1 : 0);
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      return NOTHING;
  }
}

function deriveObject(schema: JsonSchema, place: Place): Derived {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'].filter((name) => typeof name === 'string') : [];
  const minimum = Math.min(asNumber(schema['minProperties']) ?? 0, MAX_ITEMS);
  const names = [...new Set([...required, ...Object.keys(properties).slice(0, Math.max(0, minimum - required.length))])];
  const made: [string, unknown][] = [];
  for (const name of names.slice(0, MAX_ITEMS * 4)) {
    const form = Object.hasOwn(properties, name) ? properties[name] : (schema['additionalProperties'] ?? true);
    const value = deriveValue(form, place);
    if (value === NOTHING) return NOTHING;
    made.push([name, value]);
  }
  return Object.fromEntries(made);
}

function deriveArray(schema: JsonSchema, place: Place): Derived {
  const count = Math.min(asNumber(schema['minItems']) ?? 0, MAX_ITEMS);
  const first: readonly unknown[] = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : [];
  const items: unknown[] = [];
  for (let index = 0; index < count; index++) {
    const value = deriveValue(first[index] ?? schema['items'] ?? true, place);
    if (value === NOTHING) return NOTHING;
    items.push(schema['uniqueItems'] === true ? varyValue(value, index) : value);
  }
  return items;
}

/** Different values for lists that take none twice. */
const varyValue = (value: unknown, index: number): unknown =>
  typeof value === 'number' ? value + index : typeof value === 'string' ? value + 'a'.repeat(index) : value;

function deriveText(schema: JsonSchema): Derived {
  const { pattern, format } = schema;
  if (typeof pattern === 'string') return trySamplePattern(pattern) ?? NOTHING;
  if (typeof format === 'string' && Object.hasOwn(FORMAT_SAMPLES, format)) return FORMAT_SAMPLES[format];
  const minimum = asNumber(schema['minLength']) ?? 0;
  if (minimum > MAX_TEXT_CHARACTERS) return NOTHING;
  // One letter and not the empty text, which most commands refuse for good reason.
  return 'a'.repeat(Math.max(minimum, asNumber(schema['maxLength']) === 0 ? 0 : 1));
}

/** The number next to 1 that the bounds allow; `step` is 1 for integers. */
function deriveNumber(schema: JsonSchema, step: number): Derived {
  const above = asNumber(schema['exclusiveMinimum']);
  const below = asNumber(schema['exclusiveMaximum']);
  const minimum = Math.max(asNumber(schema['minimum']) ?? -Infinity, above === undefined ? -Infinity : justBeyond(above, step, 1));
  const maximum = Math.min(asNumber(schema['maximum']) ?? Infinity, below === undefined ? Infinity : justBeyond(below, step, -1));
  const unit = asNumber(schema['multipleOf']) ?? step;
  const wanted = Number.isFinite(minimum) ? minimum : Math.min(1, maximum);
  const value = unit > 0 ? roundTo(wanted, unit, wanted === maximum && !Number.isFinite(minimum)) : wanted;
  return value < minimum || value > maximum ? NOTHING : value;
}

/** For whole numbers the next one; otherwise far enough to be another number. */
const justBeyond = (bound: number, step: number, sign: 1 | -1): number =>
  step > 0 ? (sign > 0 ? Math.floor(bound) + 1 : Math.ceil(bound) - 1) : bound + sign * Math.max(Math.abs(bound), 1) * 0.01;

const roundTo = (value: number, unit: number, down: boolean): number => {
  const rounded = (down ? Math.floor(value / unit) : Math.ceil(value / unit)) * unit;
  // Without a sign of its own: `-0` is no number that anybody writes.
  return rounded === 0 ? 0 : rounded;
};

function joinSchemas(base: JsonSchema, part: unknown, root: JsonSchema): JsonSchema {
  const reference = isObject(part) && typeof part['$ref'] === 'string' ? resolveReference(root, part['$ref']) : part;
  if (!isObject(reference)) return base;
  const required = [base['required'], reference['required']].flatMap((names) => (Array.isArray(names) ? (names as unknown[]) : []));
  const properties = { ...(base['properties'] as object | undefined), ...(reference['properties'] as object | undefined) };
  return {
    ...base,
    ...reference,
    ...(required.length > 0 ? { required } : {}),
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
  };
}

/** A reference into the same schema, as JSON Pointer (RFC 6901). */
function resolveReference(root: JsonSchema, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  let found: unknown = root;
  for (const part of reference.slice(1).split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const asNumber = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);
