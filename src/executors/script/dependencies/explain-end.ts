import type { Refusal } from '../../executor.ts';
import type { InstallLimits } from './describe-install.ts';
import type { PackageManager } from './package-manager.ts';
import type { ToolEnd, ToolStop } from './run-package-manager.ts';

/** Why nothing was installed. `refused`: by us, before or while it was tried; `integrity`: a package is not what the lock says. */
export type FailureKind = 'refused' | 'integrity' | 'cancelled' | 'failed';

export interface Circumstances {
  readonly manager: PackageManager;
  readonly limits: InstallLimits;
  /** The first that the proxy refused. */
  readonly refusal: Refusal | undefined;
}

const STOPS: Record<ToolStop, (circumstances: Circumstances) => string> = {
  deadline: ({ manager, limits }) => `${manager.title} did not finish within ${limits.timeoutMs} ms`,
  cancelled: () => 'it was cancelled',
  size: ({ limits }) => `the packages have more than ${limits.maxBytes} bytes or ${limits.maxEntries} files and directories`,
  memory: ({ manager }) => `${manager.title} used too much memory`,
};

/** Why a package manager did not do its work, as a sentence fragment; undefined when it did. Pure. */
export function explainEnd(end: ToolEnd, circumstances: Circumstances): { readonly why: FailureKind; readonly reason: string } | undefined {
  const { manager, refusal } = circumstances;
  if (end.kind === 'stopped') return { why: end.by === 'cancelled' ? 'cancelled' : 'failed', reason: STOPS[end.by](circumstances) };
  if (end.code === 0) return undefined;
  const problem = manager.findProblem(end.tail);
  if (problem?.kind === 'integrity') return { why: 'integrity', reason: problem.reason };
  // What was asked for in vain says more than what the package manager made of it.
  if (refusal !== undefined) return { why: 'refused', reason: refusal.reason };
  if (problem !== undefined) return { why: problem.kind === 'other' ? 'failed' : 'refused', reason: `${manager.title}: ${problem.reason}` };
  const lastLine = end.tail.split('\n').findLast((line) => line.trim() !== '') ?? 'it said nothing';
  return { why: 'failed', reason: `${manager.title} ended with ${end.code ?? 'a signal'}: ${lastLine}` };
}
