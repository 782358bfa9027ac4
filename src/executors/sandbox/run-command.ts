import { HostError } from '../../errors.ts';
import { capture } from './capture.ts';
import { COMMAND_ENVIRONMENT } from './command-environment.ts';
import { layerMounts } from './granted-mounts.ts';
import { findHidden, type HiddenPaths } from './hidden-files.ts';
import { tryFindProgram } from './programs.ts';
import type { Sandbox, SandboxDescription, SandboxMount } from './sandbox.ts';

export interface CommandRequest {
  /** The bare name of a program of the system. That it may run with these arguments has been decided before. */
  readonly program: string;
  readonly args: readonly string[];
  /** Absolute and canonical; mounted read-only at its own path, and the working directory. */
  readonly root: string;
  readonly signal: AbortSignal;
}

export type CommandResult =
  | {
      readonly ok: true;
      /** As a shell reports it: 128 + signal; 141 (SIGPIPE) when it wrote more than is kept. */
      readonly exitCode: number;
      readonly stdout: string;
      readonly stderr: string;
      readonly truncated: boolean;
    }
  /** It did not run to an end; one sentence says why. */
  | { readonly ok: false; readonly message: string };

/** Runs one command. Never rejects for anything that the command or its files do. */
export type CommandRunner = (request: CommandRequest) => Promise<CommandResult>;

export interface CommandRunnerOptions {
  readonly sandbox: Sandbox;
  /** Whether the path with these segments below the root must stay unseen (keys, tokens: the policy’s sensitive names). */
  readonly isHidden: (segments: readonly string[]) => boolean;
  readonly limits?: CommandLimits;
}

export interface CommandLimits {
  readonly timeoutMs: number;
  /** Of stdout and of stderr. */
  readonly outputBytes: number;
  /** Of all its processes together, where control groups can be used. */
  readonly memoryBytes: number;
  /** Of each process. Programs map files and reserve stacks that they hardly touch, so it is well above `memoryBytes`. */
  readonly addressSpaceBytes: number;
  readonly processes: number;
}

export const DEFAULT_COMMAND_LIMITS: CommandLimits = {
  timeoutMs: 10_000,
  outputBytes: 1024 * 1024,
  memoryBytes: 512 * 1024 * 1024,
  addressSpaceBytes: 2 * 1024 * 1024 * 1024,
  processes: 64,
};

const PROGRAM_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;
const PROGRAM_DIRECTORIES = ['/usr/bin', '/bin', '/usr/local/bin', '/opt/homebrew/bin'];
const SIGPIPE_EXIT = 141;
const KILL_EXIT = 137;

/**
 * Makes the runner of commands that plugins ask the host for: the same OS sandbox as for scripts, with nothing but the
 * system and the root, read-only and without its sensitive files. Refuses where commands could not be isolated.
 */
export function createCommandRunner({ sandbox, isHidden, limits = DEFAULT_COMMAND_LIMITS }: CommandRunnerOptions): CommandRunner {
  return async ({ program, args, root, signal }) => {
    const refuse = (reason: string): CommandResult => ({ ok: false, message: `Cannot run "${program}": ${reason}` });
    const path = PROGRAM_NAME.test(program) ? tryFindProgram(program, PROGRAM_DIRECTORIES) : undefined;
    if (path === undefined) return refuse('there is no such program on this system');
    const tier = await sandbox.tier();
    if (tier === 'none' || tier === 'process')
      return refuse('commands only run isolated, and nothing here can isolate them; see plugbridge doctor');
    const hidden = await findHidden(root, { isHidden });
    if (!hidden.ok) return refuse(`its sensitive files cannot be hidden in "${root}": ${hidden.reason}`);
    if (signal.aborted) return refuse('the call was cancelled');

    try {
      return await run({ sandbox, description: describe([path, ...args], { root, hidden: hidden.paths, limits }), signal, limits, refuse });
    } catch (error) {
      if (error instanceof HostError) return { ok: false, message: error.message };
      throw error;
    }
  };
}

interface Placement {
  readonly root: string;
  readonly hidden: HiddenPaths;
  readonly limits: CommandLimits;
}

function describe(command: readonly string[], { root, hidden, limits }: Placement): SandboxDescription {
  const covers = [...hidden.directories, ...hidden.files].map((path): SandboxMount => ({ source: path, target: path, access: 'none' }));
  return {
    command,
    mounts: layerMounts({ granted: [{ source: root, target: root, access: 'read' }], covers }),
    workingDirectory: root,
    environment: COMMAND_ENVIRONMENT,
    limits: {
      memoryBytes: limits.memoryBytes,
      addressSpaceBytes: limits.addressSpaceBytes,
      processes: limits.processes,
      descriptors: 256,
      fileBytes: 64 * 1024 * 1024,
    },
    lifetimeSeconds: Math.ceil(limits.timeoutMs / 1000) + 1,
  };
}

interface Run {
  readonly sandbox: Sandbox;
  readonly description: SandboxDescription;
  readonly signal: AbortSignal;
  readonly limits: CommandLimits;
  readonly refuse: (reason: string) => CommandResult;
}

async function run({ sandbox, description, signal, limits, refuse }: Run): Promise<CommandResult> {
  const started = await sandbox.spawn(description);
  let stopped: 'timeout' | 'cancel' | 'output' | undefined;
  const stop = (reason: NonNullable<typeof stopped>) => {
    stopped ??= reason;
    void started.kill();
  };
  const cancel = () => stop('cancel');
  const deadline = setTimeout(() => stop('timeout'), limits.timeoutMs);
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  started.stdin.end();
  const bounds = { maxBytes: limits.outputBytes, onOverflow: () => stop('output') };
  const [exit, stdout, stderr] = await Promise.all([started.exited, capture(started.stdout, bounds), capture(started.stderr, bounds)]);
  clearTimeout(deadline);
  signal.removeEventListener('abort', cancel);
  if (stopped === 'timeout') return refuse(`it did not finish within ${limits.timeoutMs} ms`);
  if (stopped === 'cancel') return refuse('the call was cancelled');
  if (exit.cause === 'memory') return refuse(`it used more than ${limits.memoryBytes} bytes of memory`);
  if (exit.cause === 'setup') return refuse(`the sandbox could not be made: ${stderr.text.trim() || 'it gave no reason'}`);
  const exitCode = stopped === 'output' ? SIGPIPE_EXIT : (exit.code ?? KILL_EXIT);
  return { ok: true, exitCode, stdout: stdout.text, stderr: stderr.text, truncated: stdout.truncated || stderr.truncated };
}
