import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { HostError, reasonOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Tier } from '../executor.ts';
import { toBubblewrapArguments, type BubblewrapFeatures, type SystemLayout } from './bubblewrap.ts';
import { createCgroup, type Cgroup, type CgroupHome } from './cgroup.ts';
import { canUse, withoutUnreachableCovers, type Identity } from './identity.ts';
import { FIRST_FILE, INHERITED, outerStatus } from './launcher-script.ts';
import type { MemoryFile } from './memory-file.ts';
import { isAlive } from './owner.ts';
import { createProcessHandle } from './process-handle.ts';
import { createRunDirectorySlot, openRunDirectory } from './run-directory.ts';
import type { SandboxDescription, SandboxedProcess, SandboxExit } from './sandbox.ts';
import { stage, type Staging } from './staging.ts';
import type { BubblewrapStarter, StartedBubblewrap } from './start-bubblewrap.ts';

/** Everything about this machine that a start needs, found once by the probe. */
export interface BubblewrapMachine {
  readonly programs: { readonly bwrap: string; readonly prlimit: string; readonly timeout: string };
  readonly features: BubblewrapFeatures;
  readonly layout: SystemLayout;
  /** The filter of this architecture; undefined where there is none. */
  readonly seccomp: MemoryFile | undefined;
  readonly starter: BubblewrapStarter;
  readonly files: readonly (readonly [file: MemoryFile, path: string])[];
  readonly identity: Identity | undefined;
  /** Undefined where it is not needed or does not work. */
  readonly staging: Staging | undefined;
  readonly cgroups: CgroupHome | undefined;
  readonly owner: string;
  readonly log: Log;
}

const REMOVE_ATTEMPTS = 50;

/** What every sandbox of this machine inherits as descriptors, from `FIRST_FILE` on. */
export const inheritedFiles = ({ seccomp, files }: Pick<BubblewrapMachine, 'seccomp' | 'files'>): readonly MemoryFile[] => [
  ...(seccomp ? [seccomp] : []),
  ...files.map(([file]) => file),
];

/** Starts a description under bubblewrap. Throws HostError. */
export async function launchBubblewrap(description: SandboxDescription, machine: BubblewrapMachine): Promise<SandboxedProcess> {
  const program = description.command[0] ?? '';
  const { visible, prefix, identity } = chooseUser(description, machine);
  let cgroup: Cgroup | undefined;
  let started: StartedBubblewrap;
  try {
    cgroup = tryMakeCgroup(description, machine);
    const firstShown = FIRST_FILE + (machine.seccomp ? 1 : 0);
    const { argv, options } = toBubblewrapArguments(visible, {
      ...machine,
      isDirectory,
      descriptors: {
        ...INHERITED,
        ...(machine.seccomp ? { seccomp: FIRST_FILE } : {}),
        files: machine.files.map(([, path], index) => [firstShown + index, path] as const),
      },
    });
    started = await machine.starter.start({
      words: [...prefix, machine.programs.bwrap, ...argv],
      options: options.map((word) => `${word}\0`).join(''),
      files: inheritedFiles(machine),
      staged: prefix.length > 0,
      groups: cgroup?.admit(identity) ?? [],
      identity,
    });
  } catch (error) {
    cgroup?.tryRemove();
    throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason: reasonOf(error) }, { cause: error });
  }

  const { status, release } = started;
  const outside = started.joined ? undefined : cgroup;
  const runDirectory = createRunDirectorySlot(program);
  const process = createProcessHandle({
    ...started,
    tier: tierOf(machine, cgroup),
    runDirectory,
    innerPid: () => status.innerPid,
    conclude: async (exit, killed) => {
      const memoryKills = cgroup?.countMemoryKills() ?? 0;
      await removeCgroup(cgroup, machine.log);
      return withCause(exit, { killed, memoryKills, started: status.exitCode !== undefined });
    },
  });

  const giveUp = async (reason: string, cause: unknown): Promise<never> => {
    await process.kill();
    release();
    throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason: `${reason}: ${reasonOf(cause)}` }, { cause });
  };

  // What nothing has to be done for starts at once; the rest waits until it is in its group.
  if (!outside) release();
  const innerPid = await status.started;
  if (innerPid === undefined) {
    release();
    return process;
  }
  try {
    await outside?.add(innerPid);
  } catch (error) {
    // One that is gone tells itself why; one that would go on without its limits must not.
    if (isAlive(innerPid)) await giveUp('it cannot join its control group', error);
  }
  release();
  if (description.runDirectory) {
    const opening = openRunDirectory(innerPid, description.runDirectory.path);
    await runDirectory.fill(opening).catch((error: unknown) => giveUp('its files cannot be read', error));
  }
  return process;
}

/** What the sandbox is made of, what comes before bubblewrap on its command line, and the user of the host who starts it. */
interface Choice {
  readonly visible: SandboxDescription;
  readonly prefix: readonly string[];
  readonly identity?: Identity;
}

/** The unprivileged user, by itself or brought to what only root can reach; else the server’s own. */
function chooseUser(description: SandboxDescription, machine: BubblewrapMachine): Choice {
  const { identity, staging, programs, owner } = machine;
  const status = outerStatus(inheritedFiles(machine).length);
  if (identity && canUse(identity, description)) return { visible: withoutUnreachableCovers(description, identity), prefix: [], identity };
  if (!identity || !staging || !canUse(identity, description, 'staged')) return { visible: description, prefix: [] };
  const staged = stage(withoutUnreachableCovers(description, identity, 'staged'), {
    ...staging,
    identity,
    owner,
    status,
    bwrap: programs.bwrap,
  });
  return { visible: staged.description, prefix: staged.prefix };
}

function tierOf(machine: BubblewrapMachine, cgroup: Cgroup | undefined): Tier {
  if (!machine.seccomp) return 'bwrap';
  return cgroup ? 'bwrap+seccomp+cgroup' : 'bwrap+seccomp';
}

/** Undefined where there are none or nothing is to be limited. Throws where the probe promised one and it cannot be made. */
function tryMakeCgroup({ limits }: SandboxDescription, { cgroups, owner }: BubblewrapMachine): Cgroup | undefined {
  if (!cgroups || (limits.memoryBytes === undefined && limits.processes === undefined)) return undefined;
  try {
    return createCgroup(cgroups, `${owner.replace(':', '.')}.${randomBytes(6).toString('hex')}`, limits);
  } catch (error) {
    throw new Error(`its control group cannot be made: ${reasonOf(error)}`, { cause: error });
  }
}

/** The kernel counts a process for some time after it has ended, so removing takes a few attempts. */
async function removeCgroup(cgroup: Cgroup | undefined, log: Log): Promise<void> {
  if (!cgroup) return;
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt += 1) {
    if (cgroup.tryRemove()) return;
    await delay(1 + attempt);
  }
  log.warn('the control group of a sandbox could not be removed');
}

function withCause(exit: SandboxExit, seen: { killed: boolean; memoryKills: number; started: boolean }): SandboxExit {
  // A program that outlived the end of one of its processes has succeeded.
  if (seen.memoryKills > 0 && exit.code !== 0) return { ...exit, cause: 'memory' };
  // bubblewrap reports the end of what it has run; an end without a report and without a signal is its own.
  if (!seen.killed && !seen.started && exit.signal === null) return { ...exit, cause: 'setup' };
  return exit;
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
