import type { SandboxDescription, SandboxMount } from '../../sandbox/sandbox.ts';
import { layerMounts } from '../../sandbox/granted-mounts.ts';
import { routeThroughRelay } from '../describe-process.ts';
import type { InstallCommand } from './package-manager.ts';
import type { Staging } from './staging.ts';

const MIB = 1024 * 1024;
const MEMORY_BYTES = 1024 * MIB;
/** Threads count too, and every Node.js has a dozen. */
const PROCESSES = 256;

/** What bounds one installation. */
export interface InstallLimits {
  readonly timeoutMs: number;
  /** Of the packages, once they are installed. */
  readonly maxBytes: number;
  readonly maxEntries: number;
}

export const DEFAULT_INSTALL_LIMITS: InstallLimits = { timeoutMs: 600_000, maxBytes: 512 * MIB, maxEntries: 20_000 };

export interface InstallParts {
  readonly tool: Extract<InstallCommand, { ok: true }>;
  /** What the interpreter and our loaders need to be seen. */
  readonly mounts: readonly SandboxMount[];
  readonly staging: Staging;
  /** Node.js, which carries connections to the proxy. */
  readonly relay: { readonly program: string; readonly mounts: readonly SandboxMount[] };
  readonly loadersDirectory: string;
  readonly socketFile: string;
  readonly limits: InstallLimits;
}

/**
 * The sandbox of a package manager: the system, its interpreter, the staging directory, and the proxy’s socket. Neither the
 * plugin’s files nor anything of the person’s is there: no configuration, no credentials, no caches. Pure.
 */
export function describeInstall({ tool, staging, limits, ...parts }: InstallParts): SandboxDescription {
  const lifetimeSeconds = Math.ceil(limits.timeoutMs / 1000) + 1;
  const description: SandboxDescription = {
    command: tool.command,
    mounts: layerMounts({ granted: parts.mounts, own: [{ source: staging.box, target: staging.box, access: 'write' }] }),
    workingDirectory: staging.project,
    environment: {
      ...tool.environment,
      LANG: 'C.UTF-8',
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: staging.home,
      TMPDIR: staging.scratch,
    },
    limits: {
      memoryBytes: MEMORY_BYTES,
      descriptors: 1024,
      fileBytes: limits.maxBytes,
      cpuSeconds: lifetimeSeconds,
      scratchBytes: 64 * MIB,
    },
    lifetimeSeconds,
  };
  const routed = routeThroughRelay(description, {
    // As generous as the most demanding of them.
    language: 'node',
    program: parts.relay.program,
    mounts: parts.relay.mounts,
    loadersDirectory: parts.loadersDirectory,
    socketFile: parts.socketFile,
  });
  return { ...routed, limits: { ...routed.limits, processes: PROCESSES } };
}
