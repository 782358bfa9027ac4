/** One place where a result is not what a test expects. */
export interface Difference {
  /** A JSON Pointer (RFC 6901), empty for the whole. */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** Beyond this, more differences help nobody. */
const MAX_DIFFERENCES = 20;
const MAX_DEPTH = 64;
const MAX_SHOWN_CHARACTERS = 400;

/**
 * Where a value lacks what is expected of it. Objects may have more members than expected; lists have the same length;
 * everything else is equal. Pure.
 */
export function matchExpected(expected: unknown, found: unknown): readonly Difference[] {
  const differences: Difference[] = [];
  compare({ expected, found, path: '', depth: 0 }, differences);
  return differences;
}

interface Pair {
  readonly expected: unknown;
  readonly found: unknown;
  readonly path: string;
  readonly depth: number;
}

function compare({ expected, found, path, depth }: Pair, differences: Difference[]): void {
  if (differences.length >= MAX_DIFFERENCES) return;
  const differ = (): void => void differences.push({ path, expected: showValue(expected), found: showValue(found) });
  if (depth > MAX_DEPTH) return differ();
  if (Array.isArray(expected)) {
    if (!Array.isArray(found) || found.length !== expected.length) return differ();
    for (const [index, item] of expected.entries()) {
      compare({ expected: item, found: found[index], path: `${path}/${index}`, depth: depth + 1 }, differences);
    }
    return;
  }
  if (!isObject(expected)) {
    if (expected !== found) differ();
    return;
  }
  if (!isObject(found)) return differ();
  for (const [key, member] of Object.entries(expected)) {
    const value = Object.hasOwn(found, key) ? found[key] : undefined;
    const step = key.replaceAll('~', '~0').replaceAll('/', '~1');
    compare({ expected: member, found: value, path: `${path}/${step}`, depth: depth + 1 }, differences);
  }
}

/** A value as JSON, short enough for a line. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS - 1)}…` : text;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
