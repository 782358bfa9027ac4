import { chmodSync, rmSync } from 'node:fs';

import { HostError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Tier } from '../executor.ts';
import { checkDescription } from './check-description.ts';
import { findIdentity } from './identity.ts';
import { inheritedFiles, launchBubblewrap, type BubblewrapMachine } from './launch-bubblewrap.ts';
import { createLauncherStarter } from './launcher-starter.ts';
import { launchUnboxed, tryPrepareSetpriv } from './launch-unboxed.ts';
import { createMemoryFile } from './memory-file.ts';
import { describeOwner } from './owner.ts';
import { probeBubblewrap } from './probe-bubblewrap.ts';
import { tryFindProgram } from './programs.ts';
import type { Sandbox, SandboxDescription, SandboxedProcess, SandboxFinding } from './sandbox.ts';
import { launchSeatbelt, probeSeatbelt } from './launch-seatbelt.ts';
import type { Staging } from './staging.ts';
import { DIRECT_STARTER, type BubblewrapStarter } from './start-bubblewrap.ts';
import { createSeccompFilter, isSeccompArchitecture } from './seccomp.ts';
import { sweepOrphans } from './sweep.ts';
import { readSystemFiles, readSystemLayout } from './system-layout.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

export interface SandboxOptions {
  readonly log: Log;
  /**
   * What happens where nothing can be isolated. `never`: nothing starts. `when-missing`: processes start unisolated with
   * the tier `process`; only for runtimes that contain their guests themselves, or at a person’s explicit wish.
   */
  readonly unboxed: 'never' | 'when-missing';
  readonly platform?: NodeJS.Platform;
  /** Absolute paths of the system’s tools; absent ones are looked for in the system’s directories. */
  readonly programs?: {
    readonly bwrap?: string;
    readonly prlimit?: string;
    readonly timeout?: string;
    readonly setpriv?: string;
    readonly sandboxExec?: string;
  };
}

/** How a kind of isolation starts processes, and what the probe found out about it. */
interface Isolation {
  readonly tier: Tier;
  readonly findings: readonly SandboxFinding[];
  launch(description: SandboxDescription): Promise<SandboxedProcess>;
  dispose(): Promise<void>;
}

/**
 * The sandbox of this machine. The probe runs on first use, once; call `tier()` at start to have it done early.
 * Works from the main thread only: bubblewrap ends with the thread that started it.
 */
export function createSandbox(options: SandboxOptions): Sandbox {
  const running = new Set<SandboxedProcess>();
  const starting = new Set<Promise<SandboxedProcess>>();
  let closing: Promise<void> | undefined;
  let probing: Promise<Isolation> | undefined;
  const probe = (): Promise<Isolation> => (probing ??= probeIsolation(options));
  const close = async (): Promise<void> => {
    await Promise.all([...running].map((started) => started.kill()));
    await Promise.allSettled(starting);
    if (probing) await (await probing).dispose();
  };

  const start = async (description: SandboxDescription): Promise<SandboxedProcess> => {
    const isolation = await probe();
    const reason = 'the sandbox is closed';
    const program = description.command[0] ?? '';
    if (closing) throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason });
    const started = await isolation.launch(description);
    running.add(started);
    void started.exited.then(() => running.delete(started));
    if (!closing) return started;
    // Closing has begun while it started.
    await started.kill();
    throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason });
  };

  return {
    tier: async () => (await probe()).tier,
    findings: async () => (await probe()).findings,
    spawn: async (description) => {
      checkDescription(description);
      const begun = start(description);
      starting.add(begun);
      return begun.finally(() => starting.delete(begun));
    },
    sweep: () => Promise.resolve(sweepOrphans()),
    close: () => (closing ??= close()),
  };
}

async function probeIsolation(options: SandboxOptions): Promise<Isolation> {
  const { platform = process.platform, unboxed, log } = options;
  const isolation =
    platform === 'linux'
      ? await probeLinux(options)
      : platform === 'darwin'
        ? await probeMac(options)
        : missing(`there is no sandbox for ${platform}`, 'use Linux with bubblewrap, or macOS');
  if (isolation.tier !== 'none' || unboxed === 'never') return isolation;
  const isLinux = platform === 'linux';
  const machine = {
    prlimit: isLinux ? (options.programs?.prlimit ?? tryFindProgram('prlimit')) : undefined,
    setpriv: isLinux ? await tryPrepareSetpriv(options.programs?.setpriv ?? tryFindProgram('setpriv')) : undefined,
    owner: describeOwner(),
  };
  log.warn({ findings: isolation.findings }, 'processes start unisolated');
  return { ...isolation, tier: 'process', launch: (description) => launchUnboxed(description, machine) };
}

async function probeLinux({ programs, log }: SandboxOptions): Promise<Isolation> {
  const bwrap = programs?.bwrap ?? tryFindProgram('bwrap');
  const prlimit = programs?.prlimit ?? tryFindProgram('prlimit');
  const timeout = programs?.timeout ?? tryFindProgram('timeout');
  if (!bwrap) return missing('bubblewrap is not installed', 'install it (apt install bubblewrap, dnf install bubblewrap)');
  if (!prlimit || !timeout) return missing('prlimit or timeout is not installed', 'install util-linux and coreutils');
  const files = readSystemFiles().map(([path, bytes]) => [createMemoryFile(bytes), path] as const);
  const seccomp = isSeccompArchitecture(process.arch) ? createMemoryFile(createSeccompFilter(process.arch)) : undefined;
  const identity = findIdentity();
  const staging = identity && tryPrepareStaging(programs?.setpriv);
  const dispose = () => {
    if (staging) rmSync(staging.directory, { recursive: true, force: true });
    for (const [file] of files) file.close();
    seccomp?.close();
  };
  const candidate: BubblewrapMachine = {
    programs: { bwrap, prlimit, timeout },
    features: { disableUserNamespaces: true, cgroupNamespace: true, coverFirstProcess: true },
    layout: readSystemLayout(),
    seccomp,
    starter: DIRECT_STARTER,
    files,
    identity,
    staging,
    cgroups: undefined,
    owner: describeOwner(),
    log,
  };
  const { machine: found, reason, findings } = await probeBubblewrap(candidate);
  if (!found) {
    dispose();
    return missing(
      `bubblewrap cannot isolate here: ${reason}`,
      'allow it unprivileged user namespaces (an AppArmor profile for bwrap or kernel.apparmor_restrict_unprivileged_userns=0; in a container, a seccomp profile that permits them)',
      findings,
    );
  }
  const starter = tryPrepareLauncher(found);
  const machine = { ...found, starter };
  const tier = !machine.seccomp ? 'bwrap' : machine.cgroups ? 'bwrap+seccomp+cgroup' : 'bwrap+seccomp';
  return { tier, findings, launch: (description) => launchBubblewrap(description, machine), dispose: () => starter.close().then(dispose) };
}

/** Where there is a bash to start the sandboxes of this machine with. */
function tryPrepareLauncher(machine: BubblewrapMachine): BubblewrapStarter {
  const { starter: fallback, owner, log } = machine;
  const shell = tryFindProgram('bash');
  return shell === undefined ? fallback : createLauncherStarter({ shell, files: inheritedFiles(machine), owner, fallback, log });
}

/** For a server that runs as root; undefined where the system has no `setpriv`. */
function tryPrepareStaging(setpriv: string | undefined = tryFindProgram('setpriv')): Staging | undefined {
  if (setpriv === undefined) return undefined;
  const directory = makeTemporaryDirectory();
  chmodSync(directory, 0o755);
  return { setpriv, directory };
}

async function probeMac({ programs }: SandboxOptions): Promise<Isolation> {
  const sandboxExec = programs?.sandboxExec ?? '/usr/bin/sandbox-exec';
  const { works, findings, reason } = await probeSeatbelt(sandboxExec);
  if (!works) return missing(`sandbox-exec cannot isolate here: ${reason}`, 'use a system with /usr/bin/sandbox-exec', findings);
  return {
    tier: 'seatbelt',
    findings,
    launch: (description) => launchSeatbelt(description, sandboxExec),
    dispose: () => Promise.resolve(),
  };
}

function missing(reason: string, wanted: string, findings?: readonly SandboxFinding[]): Isolation {
  return {
    tier: 'none',
    findings: findings ?? [{ capability: 'namespaces', state: 'missing', detail: `${reason}; ${wanted}` }],
    launch: ({ command }) => {
      throw new HostError('EXECUTION_SANDBOX_MISSING', { program: command[0] ?? '', reason, wanted });
    },
    dispose: () => Promise.resolve(),
  };
}
