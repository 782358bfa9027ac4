import type { Findings } from '../findings.ts';
import type { Limits } from '../plugin.ts';
import type { KeyPath } from '../problem.ts';
import type { LimitsTableSchema } from './schema.ts';

const MIB = 1024 * 1024;

/** The limits that a system's plugins may set, and those of a plugin that sets none. */
export interface LimitsKind {
  readonly schema: LimitsTableSchema;
  readonly defaults: Limits;
}

/** A table of limits over the defaults. */
export function readLimits(table: unknown, { schema, defaults }: LimitsKind, path: KeyPath, findings: Findings): Limits {
  if (table === undefined) return { ...defaults };
  const limits = findings.parse(schema, table, path);
  if (limits === undefined) return { ...defaults };
  findings.warnOfUnknownKeys(table as Readonly<Record<string, unknown>>, Object.keys(schema.shape), path);
  return {
    ...defaults,
    ...(limits.timeout === undefined ? {} : { timeoutMs: Math.round(limits.timeout * 1000) }),
    ...(limits.memory_mb === undefined ? {} : { memoryBytes: limits.memory_mb * MIB }),
    ...(limits.output_mb === undefined ? {} : { outputBytes: limits.output_mb * MIB }),
    ...(limits.concurrency === undefined ? {} : { concurrency: limits.concurrency }),
  };
}
