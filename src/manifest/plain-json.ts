import { describeValue, type KeyPath } from './problem.ts';

const MAX_DEPTH = 32;
const MAX_VALUES = 5_000;

export type JsonReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly path: KeyPath; readonly message: string };

/**
 * A value from a manifest as fresh, plain JSON: at most 32 deep and 5,000 values in all, without dates, numbers that JSON
 * cannot hold, or the key `__proto__`, which changes objects instead of being in them. Never throws.
 */
export function readPlainJson(value: unknown): JsonReading {
  let values = 0;
  const refuse = (path: KeyPath, message: string): JsonReading => ({ ok: false, path, message });

  const copy = (from: unknown, path: KeyPath): JsonReading => {
    if (++values > MAX_VALUES) return refuse([], `holds more than ${MAX_VALUES} values: wanted fewer`);
    if (path.length > MAX_DEPTH) return refuse([], `is nested more than ${MAX_DEPTH} deep: wanted less`);
    if (from === null || typeof from === 'string' || typeof from === 'boolean') return { ok: true, value: from };
    if (typeof from === 'number' && Number.isFinite(from)) return { ok: true, value: from };
    if (typeof from !== 'object' || from instanceof Date) return refuse(path, `is ${describeValue(from)}: wanted a value that JSON has`);
    return Array.isArray(from) ? copyList(from, path) : copyTable(from, path);
  };
  const copyList = (from: readonly unknown[], path: KeyPath): JsonReading => {
    const list: unknown[] = [];
    for (const [index, member] of from.entries()) {
      const copied = copy(member, [...path, index]);
      if (!copied.ok) return copied;
      list.push(copied.value);
    }
    return { ok: true, value: list };
  };
  const copyTable = (from: object, path: KeyPath): JsonReading => {
    const table: Record<string, unknown> = {};
    for (const [key, member] of Object.entries(from)) {
      if (key === '__proto__') return refuse([...path, key], 'is a key that objects cannot hold: wanted another name');
      const copied = copy(member, [...path, key]);
      if (!copied.ok) return copied;
      table[key] = copied.value;
    }
    return { ok: true, value: table };
  };
  return copy(value, []);
}
