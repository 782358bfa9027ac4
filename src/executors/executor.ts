import type { CallErrorCode } from '../errors.ts';
import type { Limits, Plugin, Runtime } from '../manifest/plugin.ts';

/**
 * One call, as plain data that survives JSON, so that it can cross a thread, a process or a network.
 * Paths are absolute and canonical.
 */
export interface Execution<Kind extends Runtime = Runtime> {
  readonly callId: string;
  readonly plugin: Pick<Plugin, 'id' | 'system' | 'name' | 'version' | 'digest' | 'directory' | 'files'>;
  readonly runtime: Kind;
  readonly command: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly paths: ExecutionPaths;
  /** Capability strings that request, grant and policy all allow: what a sandbox is built from. Hosts may be allowed in part. */
  readonly permissions: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: Limits;
  /** That no call of this plugin follows, so that nothing is started ahead for one. */
  readonly isLast?: boolean;
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

/** A file that a call produced. Its bytes were read from a descriptor that the executor has checked. */
export interface ProducedFile {
  /** As the plugin calls it; the store makes it safe. */
  readonly name: string;
  /** As the plugin says; absent when it does not. */
  readonly mimeType?: string;
  readonly description?: string;
  readonly bytes: Uint8Array;
}

/** Whether a produced file is kept; the reason is one sentence. */
export type KeepAnswer = { readonly kept: true; readonly uri: string } | { readonly kept: false; readonly reason: string };

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
  /** Keeps a file as an artifact of this call; it is shown with the result. Never rejects. */
  keep(file: ProducedFile): Promise<KeepAnswer>;
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
  /** One sentence each, shown with the result: a file that is missing, output that was not what the contract wants. */
  readonly warnings?: readonly string[];
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
  /** How its process ended, for the audit: `exit 3`, `killed: timeoutMs`. */
  readonly exit?: string;
  /** What a sandbox of this tier should enforce and could not in this call, or only as best it can: names of `SandboxFinding`. */
  readonly unenforced?: readonly string[];
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

/** Whom an isolation level is asked for: a person may have allowed one plugin to run without any. */
export type TierSubject = Pick<Plugin, 'name'>;

/** One kind of runtime. Made once by the composition root; everything it needs is passed to its factory. */
export interface Executor<Kind extends Runtime = Runtime> {
  /**
   * When permissions are decided. `per-use`: the executor asks `permit` for each. `ahead`: files, programs and variables are
   * part of the sandbox, so that a call does not begin before all that it requests is allowed; hosts are asked per use still.
   */
  readonly permissions: 'per-use' | 'ahead';
  /** Looks at a plugin’s files without running them: the install-time gate. Must not throw for bad files. */
  inspect(plugin: Pick<Plugin, 'directory' | 'limits' | 'files' | 'digest'> & { readonly runtime: Kind }): Inspection;
  /**
   * The closer look of `plugbridge validate`: may run the tools of the runtime in the sandbox, such as an interpreter’s syntax
   * check, but never the plugin. Never rejects for anything in the files.
   */
  check(plugin: Pick<Plugin, 'name' | 'directory' | 'limits' | 'files' | 'digest'> & { readonly runtime: Kind }): Promise<Inspection>;
  /** Runs one call to its end. Never rejects for anything a plugin does. */
  execute(execution: Execution<Kind>, live: LiveEnds): Promise<ExecutionReport>;
  /** Starts what makes the first call quick; optional to call. */
  warm(): void;
  /** The isolation that calls get, found by running it; of one plugin, when it is given. */
  tier(subject?: TierSubject): Promise<Tier>;
  /** Kills everything that it started and waits until it is gone. */
  close(): Promise<void>;
}
