/** Any value that JSON can hold. Objects have no prototype, so that a key such as `__proto__` is a key like any other. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** What does not fit, and what is wanted, for whoever called. */
export class TransformError extends Error {}

/** One part of a path; `each` goes into all items of a list or all values of an object. */
type Segment = { readonly kind: 'key'; readonly key: string } | { readonly kind: 'each' };

const SHORT_SEGMENT = /\.?(?:(?<name>[^.[\]"]+)|\[(?<index>-?\d+)\]|\["(?<quoted>(?:[^"\\]|\\.)*)"\]|(?<each>\[\*\]|\*))/y;
const MAX_SEGMENTS = 64;

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const emptyObject = (): JsonObject => Object.create(null) as JsonObject;

/** Reads a JSON Pointer (RFC 6901), with `*` for all, or the short form. Throws TransformError. */
export function parsePath(path: string): readonly Segment[] {
  const segments = path.startsWith('/') ? parsePointer(path) : parseShort(path);
  if (segments.length > MAX_SEGMENTS)
    throw new TransformError(`Cannot follow a path of ${segments.length} parts, wanted at most ${MAX_SEGMENTS}`);
  return segments;
}

function parsePointer(pointer: string): Segment[] {
  return pointer
    .slice(1)
    .split('/')
    .map((part) => (part === '*' ? { kind: 'each' } : { kind: 'key', key: part.replaceAll('~1', '/').replaceAll('~0', '~') }));
}

function parseShort(path: string): Segment[] {
  const segments: Segment[] = [];
  const text = path === '$' || path === '.' ? '' : path.replace(/^\$\.?/, '');
  for (let at = 0; at < text.length;) {
    SHORT_SEGMENT.lastIndex = at;
    const found = SHORT_SEGMENT.exec(text)?.groups;
    if (found === undefined)
      throw new TransformError(`Cannot read the path "${path}" at "${text.slice(at, at + 20)}": wanted user.name, items[0] or items[*]`);
    if (found['name'] === '*' || found['each'] !== undefined) segments.push({ kind: 'each' });
    else segments.push({ kind: 'key', key: found['name'] ?? found['index'] ?? (JSON.parse(`"${found['quoted'] ?? ''}"`) as string) });
    at = SHORT_SEGMENT.lastIndex;
  }
  return segments;
}

/** What lies at a path; undefined where there is nothing. With `*` a list of all that there is. */
export function getAt(value: Json | undefined, path: readonly Segment[]): Json | undefined {
  const [first, ...rest] = path;
  if (first === undefined || value === undefined) return value;
  if (first.kind === 'each') {
    const items = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    const found = items.map((item) => getAt(item, rest)).filter((item) => item !== undefined);
    return rest.some((segment) => segment.kind === 'each') ? (found as Json[][]).flat() : found;
  }
  if (Array.isArray(value)) {
    if (!/^-?\d+$/.test(first.key)) return undefined;
    return getAt(value.at(Number(first.key)), rest);
  }
  return isObject(value) && Object.hasOwn(value, first.key) ? getAt(value[first.key], rest) : undefined;
}

/** The name that a value picked by this path gets: the last key in it. */
export function nameOf(path: readonly Segment[]): string {
  const last = path.findLast((segment) => segment.kind === 'key');
  return last?.kind === 'key' ? last.key : 'value';
}
