import { hash } from 'node:crypto';

/** Far above real arguments, far below what overflows the stack. */
const MAX_DEPTH = 512;

/**
 * The canonical JSON of a value that came from JSON: members sorted by UTF-16 code units, no white space, numbers and
 * strings as ECMAScript prints them, which is what RFC 8785 (JSON Canonicalization Scheme) asks for.
 * Throws RangeError for values nested deeper than 512 levels.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

/** `sha256:<hex>` of the canonical JSON of arguments: equal for equal arguments, whatever their order of members. */
export function digestArguments(args: unknown): string {
  return `sha256:${hash('sha256', canonicalJson(args), 'hex')}`;
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw new RangeError(`Cannot digest the arguments: they are nested deeper than ${MAX_DEPTH} levels`);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  let text = '';
  // The default order of sort() is by UTF-16 code units, as RFC 8785 section 3.2.3 wants.
  for (const [key, member] of Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${write(member, depth + 1)}`;
  }
  return `{${text}}`;
}
