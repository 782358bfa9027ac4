import type { z } from 'zod';

import { nearestName } from './nearest-name.ts';
import { describeValue, formatKey, type KeyPath, type ManifestProblem } from './problem.ts';

/** Problems and warnings kept of one manifest; a hostile one could have a hundred thousand. */
const MAX_FINDINGS = 100;

/** Collects what a reader finds in one manifest file. */
export interface Findings {
  readonly problems: readonly ManifestProblem[];
  readonly warnings: readonly ManifestProblem[];
  /** A reason not to use the plugin. The message is completed as `<key> <message>`. */
  problem(path: KeyPath, message: string): void;
  /** Something the author should know; the plugin still works. */
  warn(path: KeyPath, message: string): void;
  /**
   * Checks one value against a schema. Every error text of the schema says what is *wanted*; what was found is added
   * here, so that all readers' sentences are alike. Returns undefined where it does not fit, problems recorded.
   */
  parse<Schema extends z.ZodType>(schema: Schema, value: unknown, path: KeyPath): z.output<Schema> | undefined;
  /** Warns of every key of a table that nothing reads, with the nearest one that something does. */
  warnOfUnknownKeys(table: Readonly<Record<string, unknown>>, known: readonly string[], path: KeyPath): void;
}

export interface FindingsOptions {
  /** The manifest file, relative to the plugin directory. */
  readonly file: string;
  /** The line of a key, or of the nearest table around it. */
  readonly lineOf?: (path: KeyPath) => number | undefined;
}

export function createFindings(options: FindingsOptions): Findings {
  const problems: ManifestProblem[] = [];
  const warnings: ManifestProblem[] = [];

  const add = (list: ManifestProblem[], path: KeyPath, message: string): void => {
    if (list.length >= MAX_FINDINGS) return;
    const key = formatKey(path);
    const line = options.lineOf?.(path);
    list.push({
      file: options.file,
      ...(line === undefined ? {} : { line }),
      ...(key === '' ? {} : { key }),
      message: key === '' ? message : `${key} ${message}`,
    });
  };
  const findings: Findings = {
    problems,
    warnings,
    problem: (path, message) => add(problems, path, message),
    warn: (path, message) => add(warnings, path, message),
    parse: (schema, value, path) => {
      const parsed = schema.safeParse(value);
      if (parsed.success) return parsed.data;
      for (const issue of parsed.error.issues) {
        const inner = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
        const found = valueAt(value, inner);
        findings.problem([...path, ...inner], `is ${found === undefined ? 'missing' : describeValue(found)}: wanted ${issue.message}`);
      }
      return undefined;
    },
    warnOfUnknownKeys: (table, known, path) => {
      for (const key of Object.keys(table)) {
        if (warnings.length >= MAX_FINDINGS) return;
        if (known.includes(key)) continue;
        const nearest = nearestName(key, known);
        findings.warn([...path, key], `is unknown and not used${nearest === undefined ? '' : `: did you mean "${nearest}"?`}`);
      }
    },
  };
  return findings;
}

function valueAt(value: unknown, path: KeyPath): unknown {
  let found = value;
  for (const part of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined;
    found = (found as Readonly<Record<string | number, unknown>>)[part];
  }
  return found;
}
