import type { JsonSchema } from '../manifest/plugin.ts';

/** Arguments made from command-line words, or one sentence that says which word does not fit. */
export type WordReading = { readonly ok: true; readonly args: Record<string, unknown> } | { readonly ok: false; readonly problem: string };

interface Parameter {
  readonly name: string;
  readonly type: string;
  /** The type of the items of an array. */
  readonly itemType: string;
  readonly description: string;
  readonly required: boolean;
}

/** The parameters of a schema in their order, required ones first. */
export function listParameters(schema: JsonSchema): readonly Parameter[] {
  const required = Array.isArray(schema['required']) ? schema['required'].filter((name) => typeof name === 'string') : [];
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const all = Object.entries(properties).map(([name, value]) => {
    const property = isObject(value) ? value : {};
    return {
      name,
      type: readType(property),
      itemType: isObject(property['items']) ? readType(property['items']) : 'any',
      description: typeof property['description'] === 'string' ? property['description'] : '',
      required: required.includes(name),
    };
  });
  return [...all.filter((one) => one.required), ...all.filter((one) => !one.required)];
}

/** `any` where there is none or several; one that may also be null is itself. */
function readType({ type }: Record<string, unknown>): string {
  const types = (Array.isArray(type) ? type.filter((one) => one !== 'null') : [type]).filter((one) => typeof one === 'string');
  return types.length === 1 ? (types[0] ?? 'any') : 'any';
}

/**
 * Reads the words after `plugbridge PLUGIN COMMAND`: bare words fill the required parameters in order, `--name value`,
 * `--name=value`, `--name` and `--no-name` (switches) the others; `--` ends the flags. An array collects repeated flags.
 */
export function readWords(schema: JsonSchema, words: readonly string[]): WordReading {
  const parameters = listParameters(schema);
  const isOpen = schema['additionalProperties'] !== false;
  const args: Record<string, unknown> = {};
  const bare: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--') {
      bare.push(...words.slice(i + 1));
      break;
    }
    if (!word.startsWith('--')) {
      bare.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const flag = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const parameter = findParameter(parameters, flag);
    const negated = flag.startsWith('no-') ? findParameter(parameters, flag.slice(3)) : undefined;
    if (!parameter && negated?.type === 'boolean') {
      args[negated.name] = false;
      continue;
    }
    if (!parameter && !isOpen)
      return {
        ok: false,
        problem: `unknown option "--${flag}", known are ${parameters.map((one) => `--${one.name}`).join(' ') || 'none'}`,
      };
    const { name, type, itemType } = parameter ?? { name: flag, ...UNTYPED };
    if (type === 'boolean' && equals < 0) {
      args[name] = true;
      continue;
    }
    const text = equals < 0 ? words[++i] : word.slice(equals + 1);
    if (text === undefined) return { ok: false, problem: `option "--${flag}" wants a value` };
    const value = readValue({ type, itemType }, text);
    if (!value.ok) return { ok: false, problem: `option "--${flag}" is ${JSON.stringify(text)}, wanted is ${value.wanted}` };
    assign(args, name, { type, value: value.value });
  }
  return fillRequired(parameters, { args, bare });
}

/** Reads `--arg name=value` pairs, typed by the schema. */
export function readPairs(schema: JsonSchema, pairs: readonly string[]): WordReading {
  const parameters = listParameters(schema);
  const args: Record<string, unknown> = {};
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals < 1) return { ok: false, problem: `--arg is ${JSON.stringify(pair)}, wanted is name=value` };
    const name = pair.slice(0, equals);
    const { type, itemType } = parameters.find((one) => one.name === name) ?? UNTYPED;
    const value = readValue({ type, itemType }, pair.slice(equals + 1));
    if (!value.ok) return { ok: false, problem: `--arg "${name}" is ${JSON.stringify(pair.slice(equals + 1))}, wanted is ${value.wanted}` };
    assign(args, name, { type, value: value.value });
  }
  return { ok: true, args };
}

function fillRequired(parameters: readonly Parameter[], given: { args: Record<string, unknown>; bare: readonly string[] }): WordReading {
  const open = parameters.filter((one) => one.required && !Object.hasOwn(given.args, one.name));
  for (const [i, text] of given.bare.entries()) {
    const parameter = open[i];
    if (!parameter) {
      return { ok: false, problem: `${JSON.stringify(text)} is one word too many: ${open.length} wanted (quote a text of several words)` };
    }
    const value = readValue(parameter, text);
    if (!value.ok) return { ok: false, problem: `"${parameter.name}" is ${JSON.stringify(text)}, wanted is ${value.wanted}` };
    assign(given.args, parameter.name, { type: parameter.type, value: value.value });
  }
  return { ok: true, args: given.args };
}

const findParameter = (parameters: readonly Parameter[], flag: string): Parameter | undefined =>
  parameters.find((one) => one.name === flag || one.name.replaceAll('_', '-') === flag);

function assign(args: Record<string, unknown>, name: string, given: { type: string; value: unknown }): void {
  // A plain assignment would set the prototype for the name "__proto__".
  const before: readonly unknown[] = Object.hasOwn(args, name) && Array.isArray(args[name]) ? args[name] : [];
  const value = given.type === 'array' && !Array.isArray(given.value) ? [...before, given.value] : given.value;
  Object.defineProperty(args, name, { value, enumerable: true, configurable: true, writable: true });
}

type Value = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly wanted: string };

const UNTYPED = { type: 'any', itemType: 'any' } as const;

function readValue({ type, itemType }: Pick<Parameter, 'type' | 'itemType'>, text: string): Value {
  if (type === 'string') return { ok: true, value: text };
  if (type === 'integer' || type === 'number') {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    const fits = type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
    return fits ? { ok: true, value } : { ok: false, wanted: type === 'integer' ? 'a whole number' : 'a number' };
  }
  if (type === 'boolean') {
    if (text === 'true' || text === 'false') return { ok: true, value: text === 'true' };
    return { ok: false, wanted: 'true or false' };
  }
  if (type === 'object') {
    const parsed = tryJson(text);
    return isObject(parsed) ? { ok: true, value: parsed } : { ok: false, wanted: 'a JSON object' };
  }
  if (type === 'array') {
    const parsed = tryJson(text);
    if (Array.isArray(parsed)) return { ok: true, value: parsed };
    // Items without a type are text, for a list of words is what most arrays are.
    return itemType === 'any' || itemType === 'array' ? { ok: true, value: text } : readValue({ type: itemType, itemType: 'any' }, text);
  }
  if (type === 'null') return text === 'null' ? { ok: true, value: null } : { ok: false, wanted: 'null' };
  // Untyped: what reads as JSON is JSON, all else is text.
  const parsed = tryJson(text);
  return { ok: true, value: parsed === undefined ? text : parsed };
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
