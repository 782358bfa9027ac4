import { constants } from 'node:os';

import type { SandboxExit } from '../sandbox/sandbox.ts';

/** What we end a script for; the names are those of the limits. */
export type StopReason = 'timeoutMs' | 'cancelled' | 'outputBytes' | 'stderrBytes' | 'data';

/** How a script came to its end. */
export type ScriptEnding =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'stopped'; readonly by: StopReason }
  /** The kernel ended it for the memory limit of the whole tree. */
  | { readonly kind: 'memory' }
  /** It never began: the sandbox could not be made. */
  | { readonly kind: 'setup' };

const SIGNAL_BASE = 128;
const SIGNAL_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

/** Reads the end of the outer process. A shell’s convention, which bubblewrap follows: 128 + signal stands for that signal. */
export function readEnding({ code, signal, cause }: SandboxExit): ScriptEnding {
  if (cause !== undefined) return { kind: cause };
  if (signal !== null) return { kind: 'signal', signal };
  const inner = code !== null && code > SIGNAL_BASE ? SIGNAL_NAMES.get(code - SIGNAL_BASE) : undefined;
  if (inner !== undefined) return { kind: 'signal', signal: inner };
  return code === null ? { kind: 'setup' } : { kind: 'exited', code };
}

/** For the audit: `exit 3`, `signal SIGSEGV`, `killed: timeoutMs`. */
export function formatEnding(ending: ScriptEnding): string {
  switch (ending.kind) {
    case 'exited':
      return `exit ${ending.code}`;
    case 'signal':
      return `signal ${ending.signal}`;
    case 'stopped':
      return `killed: ${ending.by}`;
    case 'memory':
      return 'killed: memoryBytes';
    case 'setup':
      return 'not started';
  }
}
