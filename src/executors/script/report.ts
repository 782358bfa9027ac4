import type { ExecutionReport, ExecutionResult, ExecutionUsage, Tier } from '../executor.ts';

/** A report of a call that did not get as far as a process. */
export const reportEarly = (tier: Tier, result: ExecutionResult, usage: Partial<ExecutionUsage> = {}): ExecutionReport => ({
  result,
  usage: { tier, bytesIn: 0, bytesOut: 0, hostCalls: 0, logBytesDropped: 0, ...usage },
});

/** Shows warnings with a result; those of an answer come first. A failure carries them in its message. */
export function addWarnings(result: ExecutionResult, warnings: readonly string[]): ExecutionResult {
  if (warnings.length === 0) return result;
  switch (result.kind) {
    case 'ok':
      return { ...result, output: { ...result.output, warnings: [...(result.output.warnings ?? []), ...warnings] } };
    case 'failed':
    case 'timed-out':
      return { ...result, message: `${result.message}\n\nWarnings:\n${warnings.map((warning) => `- ${warning}`).join('\n')}` };
    case 'cancelled':
      return result;
  }
}
