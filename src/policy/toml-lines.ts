/** A TOML syntax error as a sentence fragment that begins with its line. */
export function describeTomlError(error: unknown): string {
  const line = error instanceof Error && 'line' in error && typeof error.line === 'number' ? error.line + 1 : undefined;
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  const what = message.replace(/,? ?at row \d+, col \d+, pos \d+:?$/, '');
  return line === undefined ? `it is not valid TOML: ${what}` : `line ${line}: it is not valid TOML: ${what}`;
}

/**
 * The line, from 1, on which a key of a TOML text is set; the nearest that can be found, 1 at worst. `key` is a path such
 * as `['rule', 2, 'effect']`, whose numbers count `[[tables]]` from 0.
 */
export function lineOfKey(text: string, key: readonly PropertyKey[]): number {
  const lines = text.split('\n');
  const [first, index, ...rest] = key;
  if (first === undefined) return 1;
  const name = String(first);
  if (typeof index !== 'number') return lineMatching(lines, assignment(name), 0) ?? 1;
  const headers = lines.flatMap((line, at) => (isTableHeader(line, name) ? [at] : []));
  const header = headers[index];
  if (header === undefined) return lineMatching(lines, assignment(name), 0) ?? 1;
  const member = rest[0];
  return (member === undefined ? undefined : lineMatching(lines, assignment(String(member)), header)) ?? header + 1;
}

const isTableHeader = (line: string, name: string): boolean =>
  line
    .trim()
    .replaceAll(/[\s"']/g, '')
    .startsWith(`[[${name}]]`);

function assignment(name: string): (line: string) => boolean {
  return (line) => {
    const before = line.split('=')[0] ?? '';
    return line.includes('=') && before.trim().replaceAll(/["']/g, '') === name;
  };
}

function lineMatching(lines: readonly string[], matches: (line: string) => boolean, from: number): number | undefined {
  const found = lines.findIndex((line, at) => at >= from && matches(line));
  return found === -1 ? undefined : found + 1;
}
