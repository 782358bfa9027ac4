import type { Findings } from '../findings.ts';
import { DEFAULT_LIMITS, type Limits } from '../plugin.ts';
import { LimitsTableSchema } from './schema.ts';

const MIB = 1024 * 1024;
const PATH = ['plugin', 'limits'] as const;
const LIMIT_KEYS = Object.keys(LimitsTableSchema.shape);

/** `[plugin.limits]` over the defaults, which are AgentZero's own: 30 s and 64 MiB (agentzero.md §3). */
export function readLimits(table: unknown, findings: Findings): Limits {
  if (table === undefined) return { ...DEFAULT_LIMITS };
  const limits = findings.parse(LimitsTableSchema, table, PATH);
  if (limits === undefined) return { ...DEFAULT_LIMITS };
  findings.warnOfUnknownKeys(table as Readonly<Record<string, unknown>>, LIMIT_KEYS, PATH);
  return {
    ...DEFAULT_LIMITS,
    ...(limits.timeout === undefined ? {} : { timeoutMs: Math.round(limits.timeout * 1000) }),
    ...(limits.memory_mb === undefined ? {} : { memoryBytes: limits.memory_mb * MIB }),
    ...(limits.output_mb === undefined ? {} : { outputBytes: limits.output_mb * MIB }),
    ...(limits.concurrency === undefined ? {} : { concurrency: limits.concurrency }),
  };
}
