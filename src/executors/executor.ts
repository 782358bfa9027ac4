import type { CallErrorCode } from '../errors.ts';
import type { Limits, Plugin, Runtime } from '../manifest/plugin.ts';

/**
 * One call, as plain data that survives JSON, so that it can cross a thread, a process or a network.
 * Paths are absolute and canonical.
 */
export interface Execution {
  readonly callId: string;
  readonly plugin: Pick<Plugin, 'id' | 'system' | 'name' | 'version' | 'digest' | 'directory' | 'files'>;
  readonly runtime: Runtime;
  readonly command: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly paths: ExecutionPaths;
  /** Capability strings that request, grant and policy all allow: what a sandbox is built from. */
  readonly permissions: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: Limits;
}

export interface ExecutionPaths {
  /** What file access is anchored to, `$ROOT`. */
  readonly root: string;
  /** The plugin’s directory, `$PLUGIN`. */
  readonly plugin: string;
  /** The plugin’s own data directory, `$DATA`; made on first use. */
  readonly data: string;
}

/** Something that a plugin is about to do. Paths are canonical, of what was really opened. */
export type CapabilityUse =
  | { readonly kind: 'read:fs'; readonly path: string }
  | { readonly kind: 'write:fs'; readonly path: string }
  | { readonly kind: 'exec'; readonly program: string; readonly args: readonly string[] }
  | { readonly kind: 'net'; readonly host: string; readonly port: number }
  | { readonly kind: 'net-address'; readonly host: string; readonly port: number; readonly address: string }
  | { readonly kind: 'net-body'; readonly host: string; readonly body: string };

/** The answer to a `CapabilityUse`; a refusal says who refused and what a person can do. */
export type Permit =
  | { readonly allowed: true; /** For `exec`: the arguments to use in place of those asked for. */ readonly args?: readonly string[] }
  | Refusal;
export interface Refusal {
  readonly allowed: false;
  /** The capability in string form, as a grant would name it. */
  readonly capability: string;
  readonly by: 'request' | 'grant' | 'policy' | 'sandbox';
  readonly reason: string;
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warning' | 'error';
  readonly message: string;
}

export interface Progress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** The ends of a call that are not data. */
export interface LiveEnds {
  /** Aborted on cancellation; the executor kills what runs. The deadline is the executor’s own. */
  readonly signal: AbortSignal;
  /** Decides one use of a capability and records it; pure of I/O, so executors may ask as often as they open. */
  permit(use: CapabilityUse): Permit;
  /** Records what the executor itself refused before `permit` could be asked: paths that leave the root and the like. */
  refused(refusal: Refusal): void;
  log(line: LogLine): void;
  progress(progress: Progress): void;
}

/** What came out of an execution, before dispatch bounds and stores it. */
export type ExecutionResult =
  | { readonly kind: 'ok'; readonly output: ExecutionOutput }
  /** The plugin answered that it could not, or broke its contract. `message` is the reason alone. */
  | { readonly kind: 'failed'; readonly code: CallErrorCode; readonly message: string }
  | { readonly kind: 'timed-out'; readonly limit: string; readonly message: string }
  | { readonly kind: 'cancelled' };

export interface ExecutionOutput {
  readonly text: string;
  /** Present only for objects; the text says the same. */
  readonly structured?: Readonly<Record<string, unknown>>;
}

export interface ExecutionUsage {
  /** The isolation really in force for this call. */
  readonly tier: Tier;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly hostCalls: number;
  /** Deterministic instruction count, where the runtime has one. */
  readonly fuel?: number;
  readonly logBytesDropped: number;
}

export interface ExecutionReport {
  readonly result: ExecutionResult;
  readonly usage: ExecutionUsage;
}

/** Isolation levels, strongest first (DESIGN.md, “isolation”). */
export const TIERS = ['bwrap+seccomp+cgroup', 'bwrap+seccomp', 'bwrap', 'seatbelt', 'process', 'none'] as const;
export type Tier = (typeof TIERS)[number];

/** What a runtime found in the files of a plugin before anything of it runs. */
export type Inspection =
  | { readonly ok: true; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** One kind of runtime. Made once by the composition root; everything it needs is passed to its factory. */
export interface Executor {
  /** Looks at a plugin’s files without running them: the install-time gate. Must not throw for bad files. */
  inspect(plugin: Pick<Plugin, 'directory' | 'runtime' | 'limits' | 'files' | 'digest'>): Inspection;
  /** Runs one call to its end. Never rejects for anything a plugin does. */
  execute(execution: Execution, live: LiveEnds): Promise<ExecutionReport>;
  /** Starts what makes the first call quick; optional to call. */
  warm(): void;
  /** The isolation that calls get, found by running it. */
  tier(): Promise<Tier>;
  /** Kills everything that it started and waits until it is gone. */
  close(): Promise<void>;
}
