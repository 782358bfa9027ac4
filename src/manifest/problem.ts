/** Where a value stands in a manifest: table keys and list positions, outermost first. */
export type KeyPath = readonly (string | number)[];

/** One thing about a plugin's files that is wrong, or worth a warning. */
export interface ManifestProblem {
  /** Relative to the plugin directory; `.` is the directory itself. */
  readonly file: string;
  /** Counted from 1. */
  readonly line?: number;
  /** As people write it: `plugin.network.allowed_hosts[0]`. */
  readonly key?: string;
  /** One sentence: what was found and what is wanted. It names the key where there is one. */
  readonly message: string;
}

/** The problem as one line in the form that editors and terminals make clickable: `PLUGIN.toml:3: …`. */
export function formatProblem(problem: ManifestProblem): string {
  const line = problem.line === undefined ? '' : `:${problem.line}`;
  return `${problem.file}${line}: ${problem.message}`;
}

/** A key path as people write it: `commands[2].input.limit`; keys that TOML would quote are quoted. */
export function formatKey(path: KeyPath): string {
  let key = '';
  for (const part of path) {
    if (typeof part === 'number') key += `[${part}]`;
    else key += `${key && '.'}${/^[A-Za-z0-9_-]{1,64}$/.test(part) ? part : quote(part)}`;
  }
  return key;
}

/** A found value, short enough for a sentence. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'bigint') return 'an integer beyond 2^53';
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Date) return 'a date or time without quotes';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return value === null ? 'null' : 'a table';
}

const QUOTED_CHARACTERS = 80;

/** Text in double quotes, cut and escaped so that nothing in a manifest can move a terminal's cursor or fake a line. */
export function quote(text: string): string {
  const cut = text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text;
  const escaped = JSON.stringify(cut);
  return escaped.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
