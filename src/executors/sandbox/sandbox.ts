import type { Readable, Writable } from 'node:stream';

import type { Tier } from '../executor.ts';

/**
 * What a sandboxed process may see and use, independent of the operating system: bubblewrap arguments and Seatbelt
 * profiles are both made from it. Everything not named here is absent inside.
 */
export interface SandboxDescription {
  /** Absolute program path inside the sandbox, then its arguments. */
  readonly command: readonly string[];
  /** The minimal read-only system (`/usr`, loader, `/etc` essentials) is always there; these are added. */
  readonly mounts: readonly SandboxMount[];
  readonly workingDirectory: string;
  /**
   * A private, empty, writable directory for the files that the process makes, of a bounded size, at `path` inside. On Linux
   * it lies in memory; elsewhere it is a temporary directory, and `path` in the command, the working directory and the
   * values of the environment is replaced by where that lies.
   */
  readonly runDirectory?: { readonly path: string; readonly maxBytes: number };
  /** The whole environment inside; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  /** How long the process may live, in seconds, enforced inside the sandbox too; absent for long-lived hosts that end with their stdin. */
  readonly lifetimeSeconds?: number;
}

export interface SandboxMount {
  /** A file, a directory or a unix socket, by its canonical path. */
  readonly source: string;
  readonly target: string;
  /**
   * `none` covers what an outer mount would show at `target`: a directory is empty there, a file cannot be opened. Its source
   * is what lies there, the same path. A mount inside a covered directory is seen all the same; mounts are made in order.
   */
  readonly access: 'read' | 'write' | 'none';
}

export interface SandboxLimits {
  /** Address space for runtimes that stand it; never for Node.js (sandbox.md §B, “Limits”). */
  readonly addressSpaceBytes?: number;
  /** Data segment: what bounds Node.js (sandbox.md §B). */
  readonly dataBytes?: number;
  /** Resident memory of the whole tree, where cgroups can be used. */
  readonly memoryBytes?: number;
  readonly processes?: number;
  readonly fileBytes?: number;
  readonly descriptors?: number;
  readonly cpuSeconds?: number;
  /** Size of each writable tmpfs (`/tmp`, `/dev/shm`). */
  readonly scratchBytes?: number;
}

export interface SandboxedProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The outer process, leader of its own group. */
  readonly pid: number;
  readonly tier: Tier;
  /** Settles when the outer process is gone and its pipes are closed; never rejects. */
  readonly exited: Promise<SandboxExit>;
  /** SIGKILL to the whole tree; settles with `exited`. Safe to call twice. */
  kill(): Promise<void>;
  /**
   * Keeps the run directory beyond the process, so that what it holds can be read once nobody can change it any more.
   * To be called while the process runs; the caller closes it. Throws HostError EXECUTION_SANDBOX_FAILED.
   */
  holdRunDirectory(): RunDirectory;
}

/** A run directory that outlives its process. */
export interface RunDirectory {
  /** How this process reaches it: a real path or `/proc/self/fd/N`. */
  readonly path: string;
  close(): void;
}

/** How a sandboxed process ended. bubblewrap turns a signal inside into the code 128 + signal. */
export interface SandboxExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What ended it, where that is known and was neither the program nor a kill: `memory` the limit of the whole tree, `setup` the sandbox could not be made (stderr says why). */
  readonly cause?: 'memory' | 'setup';
}

/** What spawns sandboxed processes on this machine; probed by running it, never by looking for a binary. */
export interface Sandbox {
  /** The tier that a process of this kind really gets. */
  tier(): Promise<Tier>;
  /** What the probe found, for `doctor`: one line per capability of the sandbox, with the reason where one is missing. */
  findings(): Promise<readonly SandboxFinding[]>;
  /** Throws HostError when the process cannot be started. Call `tier()` first: a tier of `none` spawns nothing. */
  spawn(description: SandboxDescription): Promise<SandboxedProcess>;
  /** Kills what is left of servers that died without cleaning up (sandbox.md §0.6). Returns the process ids it killed. */
  sweep(): Promise<readonly number[]>;
  /** Kills everything that it started. */
  close(): Promise<void>;
}

export interface SandboxFinding {
  readonly capability: string;
  readonly state: 'enforced' | 'best effort' | 'missing';
  readonly detail: string;
}
