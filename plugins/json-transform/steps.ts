import { emptyObject, getAt, isObject, nameOf, parsePath, TransformError, type Json, type JsonObject } from './pointer.ts';

type Step = (value: Json, option: Json) => Json;

const MAX_PATTERN = 200;

/** What each step does, by the key that names it. */
export const STEPS: Readonly<Record<string, Step>> = {
  select: (value, option) => {
    const path = text(option, 'select');
    const found = getAt(value, parsePath(path));
    if (found === undefined) throw new TransformError(`there is nothing at "${path}"; ${describe(value)}`);
    return found;
  },
  pick: (value, option) => {
    const paths = texts(option, 'pick').map((path) => parsePath(path));
    return eachObject(value, 'pick', (item) => {
      const picked = emptyObject();
      for (const path of paths) {
        const found = getAt(item, path);
        if (found !== undefined) picked[nameOf(path)] = found;
      }
      return picked;
    });
  },
  omit: (value, option) => {
    const keys = new Set(texts(option, 'omit'));
    return eachObject(value, 'omit', (item) => fromEntries(Object.entries(item).filter(([key]) => !keys.has(key))));
  },
  rename: (value, option) => {
    if (!isObject(option)) throw new TransformError('wanted an object of old and new names');
    const names = new Map(Object.entries(option).map(([key, name]) => [key, text(name, 'rename')]));
    return eachObject(value, 'rename', (item) => fromEntries(Object.entries(item).map(([key, field]) => [names.get(key) ?? key, field])));
  },
  where: (value, option) => list(value, 'where').filter(condition(option)),
  sort: (value, option) => {
    const by = isObject(option) ? text(option['by'] ?? '', 'sort') : text(option, 'sort');
    const sign = isObject(option) && option['descending'] === true ? -1 : 1;
    const path = parsePath(by);
    const keyed = list(value, 'sort').map((item) => ({ item, key: getAt(item, path) }));
    return keyed.toSorted((a, b) => sign * compare(a.key, b.key)).map(({ item }) => item);
  },
  flatten: (value, option) => {
    if (typeof option === 'string') return eachObject(value, 'flatten', (item) => flattenKeys(item, option));
    const depth = option === true ? 1 : typeof option === 'number' ? option : Number.NaN;
    if (!Number.isInteger(depth) || depth < 1 || depth > 20)
      throw new TransformError('wanted a depth from 1 to 20, or "." for nested objects');
    return list(value, 'flatten').flat(depth as 1);
  },
  group: (value, option) => {
    const groups = emptyObject();
    const path = parsePath(text(option, 'group'));
    for (const item of list(value, 'group')) ((groups[label(getAt(item, path))] ??= []) as Json[]).push(item);
    return groups;
  },
  count: (value, option) => {
    const counts = new Map<string, number>();
    const path = parsePath(text(option, 'count'));
    for (const item of list(value, 'count')) {
      const found = getAt(item, path);
      for (const one of Array.isArray(found) ? found : [found]) counts.set(label(one), (counts.get(label(one)) ?? 0) + 1);
    }
    return fromEntries([...counts].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)));
  },
  unique: (value, option) => {
    const path = parsePath(option === true ? '' : text(option, 'unique'));
    const seen = new Set<string>();
    return list(value, 'unique').filter((item) => {
      const key = JSON.stringify(getAt(item, path) ?? null);
      return !seen.has(key) && seen.add(key);
    });
  },
  sum: (value, option) => {
    const path = parsePath(option === true ? '' : text(option, 'sum'));
    return list(value, 'sum').reduce((sum: number, item) => {
      const found = getAt(item, path);
      return typeof found === 'number' ? sum + found : sum;
    }, 0);
  },
  limit: (value, option) => list(value, 'limit').slice(0, count(option, 'limit')),
  skip: (value, option) => list(value, 'skip').slice(count(option, 'skip')),
  keys: (value) => Object.keys(object(value, 'keys')),
  values: (value) => Object.values(object(value, 'values')),
  length: (value) =>
    Array.isArray(value)
      ? value.length
      : typeof value === 'string'
        ? Array.from(value).length
        : Object.keys(object(value, 'length')).length,
};

type Test = (found: Json | undefined, wanted: Json) => boolean;
const TESTS: Readonly<Record<string, Test>> = {
  equals: (found, wanted) => JSON.stringify(found) === JSON.stringify(wanted),
  not: (found, wanted) => JSON.stringify(found) !== JSON.stringify(wanted),
  in: (found, wanted) => list(wanted, 'in').some((one) => JSON.stringify(one) === JSON.stringify(found)),
  contains: (found, wanted) =>
    Array.isArray(found)
      ? found.includes(wanted)
      : typeof found === 'string' && found.toLowerCase().includes(text(wanted, 'contains').toLowerCase()),
  matches: (found, wanted) => typeof found === 'string' && pattern(text(wanted, 'matches')).test(found),
  gt: (found, wanted) => comparable(found, wanted) && compare(found, wanted) > 0,
  gte: (found, wanted) => comparable(found, wanted) && compare(found, wanted) >= 0,
  lt: (found, wanted) => comparable(found, wanted) && compare(found, wanted) < 0,
  lte: (found, wanted) => comparable(found, wanted) && compare(found, wanted) <= 0,
  exists: (found, wanted) => (found !== undefined && found !== null) === (wanted === true),
};

function condition(option: Json): (item: Json) => boolean {
  if (!isObject(option)) throw new TransformError('wanted an object with path and a test such as equals');
  const { path = '', ...tests } = option;
  const segments = parsePath(text(path, 'where'));
  const names = Object.keys(tests);
  const unknown = names.find((name) => !Object.hasOwn(TESTS, name));
  if (unknown !== undefined || names.length === 0)
    throw new TransformError(`wanted a test: ${Object.keys(TESTS).join(', ')}${unknown === undefined ? '' : `, not "${unknown}"`}`);
  return (item) => {
    const found = getAt(item, segments);
    return names.every((name) => TESTS[name]?.(found, tests[name] ?? null) ?? false);
  };
}

function pattern(source: string): RegExp {
  if (source.length > MAX_PATTERN) throw new TransformError(`wanted a pattern of at most ${MAX_PATTERN} characters`);
  try {
    return new RegExp(source, 'u');
  } catch {
    throw new TransformError(`"${source}" is no pattern: wanted a regular expression of JavaScript`);
  }
}

function flattenKeys(item: JsonObject, separator: string): JsonObject {
  const flat = emptyObject();
  const visit = (value: Json, name: string): void => {
    const entries = isObject(value) ? Object.entries(value) : [];
    if (entries.length === 0) flat[name] = value;
    for (const [key, field] of entries) visit(field, name === '' ? key : `${name}${separator}${key}`);
  };
  for (const [key, field] of Object.entries(item)) visit(field, key);
  return flat;
}

/** Numbers before words, words as a dictionary has them, what is missing last. */
function compare(a: Json | undefined, b: Json | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  return rank(a) - rank(b);
}
const rank = (value: Json | undefined): number =>
  value === undefined || value === null ? 4 : ({ boolean: 0, number: 1, string: 2 }[typeof value as string] ?? 3);
const comparable = (a: Json | undefined, b: Json): boolean => typeof a === typeof b && (typeof a === 'number' || typeof a === 'string');

function eachObject(value: Json, step: string, change: (item: JsonObject) => JsonObject): Json {
  if (Array.isArray(value)) return value.map((item) => (isObject(item) ? change(item) : item));
  return change(object(value, step));
}

function fromEntries(entries: Iterable<readonly [string, Json]>): JsonObject {
  const result = emptyObject();
  for (const [key, value] of entries) result[key] = value;
  return result;
}

const label = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

function list(value: Json, step: string): Json[] {
  if (Array.isArray(value)) return value;
  throw new TransformError(`${step} wants a list; ${describe(value)}`);
}
function object(value: Json, step: string): JsonObject {
  if (isObject(value)) return value;
  throw new TransformError(`${step} wants an object; ${describe(value)}`);
}
function text(value: Json, step: string): string {
  if (typeof value === 'string') return value;
  throw new TransformError(`${step} wants a string, not ${JSON.stringify(value)?.slice(0, 60) ?? 'nothing'}`);
}
function texts(value: Json, step: string): string[] {
  return (Array.isArray(value) ? value : [value]).map((one) => text(one, step));
}
function count(value: Json, step: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw new TransformError(`${step} wants a whole number, 0 or more`);
}

/** What is there in place of what was wanted. */
export function describe(value: Json): string {
  if (Array.isArray(value)) return `here is a list of ${value.length}`;
  if (!isObject(value)) return `here is ${JSON.stringify(value).slice(0, 60)}`;
  const keys = Object.keys(value);
  return `here is an object with ${
    keys.length === 0
      ? 'no keys'
      : keys
          .slice(0, 12)
          .map((key) => `"${key.slice(0, 40)}"`)
          .join(', ')
  }${keys.length > 12 ? ', …' : ''}`;
}
