import { chownSync, constants, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, writeSync, closeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import type { Identity } from './identity.ts';
import { isOwnerAlive } from './owner.ts';
import type { SandboxLimits } from './sandbox.ts';

/** Where groups of ours can be made: one hierarchy for each controller (version 1) or one for both (version 2). */
export interface CgroupHome {
  readonly version: 1 | 2;
  readonly memory: string;
  readonly pids: string;
}

/** A group that holds one sandbox. */
export interface Cgroup {
  /** Puts a process in; everything it starts from then on is in too. Rejects when the kernel refuses. */
  add(pid: number): Promise<void>;
  /** Files to which a process of this user (undefined: our own) writes 0 to put itself in; none where it may not. Throws what the system throws. */
  admit(identity: Identity | undefined): readonly string[];
  /** How often the kernel killed for want of memory. */
  countMemoryKills(): number;
  /** False while the kernel still counts a process in it. */
  tryRemove(): boolean;
}

const PREFIX = 'plugbridge-';

/**
 * The groups under which this process may make others, from `/proc/self/cgroup` and `/proc/self/mountinfo` (cgroups(7)).
 * Version 1: below our own group, so that the limits we are under hold for sandboxes too. Version 2: beside it, for a
 * group with processes cannot have limited children. Undefined where there is none; whether it works, a probe finds out.
 */
export function findCgroupHome(ownGroups: string, mountInfo: string): CgroupHome | undefined {
  const mounts = mountInfo.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ');
    const point = before?.split(' ')[4];
    const root = before?.split(' ')[3];
    const [kind, , options] = after?.split(' ') ?? [];
    return point && root && kind?.startsWith('cgroup') ? [{ point, root, kind, options: options?.split(',') ?? [] }] : [];
  });
  const groups = ownGroups.split('\n').flatMap((line) => {
    const [id, controllers, ...path] = line.split(':');
    return id && controllers !== undefined ? [{ controllers: controllers.split(','), path: path.join(':') }] : [];
  });
  const find = (controller: string): string | undefined => {
    const mount = mounts.find(({ kind, options }) => kind === 'cgroup' && options.includes(controller));
    const group = groups.find(({ controllers }) => controllers.includes(controller));
    return mount && group && below(mount, group.path);
  };
  const memory = find('memory');
  const pids = find('pids');
  if (memory && pids) return { version: 1, memory, pids };
  const unified = mounts.find(({ kind }) => kind === 'cgroup2');
  const own = groups.find(({ controllers }) => controllers.join('') === '');
  const place = unified && own && below(unified, own.path);
  if (!unified || !place) return undefined;
  const parent = place === unified.point ? place : dirname(place);
  return { version: 2, memory: parent, pids: parent };
}

/** A bind mount shows a part of the hierarchy; paths outside that part cannot be named here. */
function below({ point, root }: { point: string; root: string }, path: string): string | undefined {
  if (root === '/') return resolve(point, `.${path}`);
  return path === root || path.startsWith(`${root}/`) ? resolve(point, `.${path.slice(root.length)}`) : undefined;
}

/** Makes a group and sets its limits. `name` begins with the owner mark, so that a sweep can tell whose it was. Throws what the system throws. */
export function createCgroup(home: CgroupHome, name: string, limits: Pick<SandboxLimits, 'memoryBytes' | 'processes'>): Cgroup {
  const memory = join(home.memory, PREFIX + name);
  const pids = join(home.pids, PREFIX + name);
  const directories = [...new Set([memory, pids])];
  const remove = () => directories.map(tryRemoveDirectory).every(Boolean);
  try {
    for (const directory of directories) mkdirSync(directory);
    const { memoryBytes, processes } = limits;
    if (memoryBytes !== undefined) {
      if (home.version === 1) writeControl(join(memory, 'memory.limit_in_bytes'), String(memoryBytes));
      else writeControl(join(memory, 'memory.max'), String(memoryBytes));
      // Swap would double what the limit allows; a kernel without swap accounting lacks the file.
      tryWriteControl(
        join(memory, home.version === 1 ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max'),
        home.version === 1 ? String(memoryBytes) : '0',
      );
    }
    if (processes !== undefined) writeControl(join(pids, 'pids.max'), String(processes + BUBBLEWRAP_PROCESSES));
  } catch (error) {
    remove();
    throw error;
  }
  return {
    // Each waits some milliseconds in the kernel until no process forks: in threads, and for the same moment.
    add: async (pid) => {
      const added = await Promise.allSettled(
        directories.map((directory) => writeControlAside(join(directory, 'cgroup.procs'), String(pid))),
      );
      for (const each of added) if (each.status === 'rejected') throw each.reason;
    },
    admit: (identity) => {
      // Version 2 asks for a right to the group that one comes from, too.
      if (home.version === 2) return [];
      const files = directories.map((directory) => join(directory, 'tasks'));
      if (identity) for (const file of files) chownSync(file, identity.uid, identity.gid);
      return files;
    },
    countMemoryKills: () =>
      tryReadCounter(home.version === 1 ? join(memory, 'memory.oom_control') : join(memory, 'memory.events'), 'oom_kill'),
    tryRemove: remove,
  };
}

/** bubblewrap’s first process inside and the one or two outside of it, which the limit must not charge to the plugin. */
const BUBBLEWRAP_PROCESSES = 3;

/** Removes groups whose server is gone. One that still holds processes stays until they have been swept. */
export function sweepCgroups(home: CgroupHome): void {
  for (const directory of new Set([home.memory, home.pids])) {
    for (const name of tryList(directory)) {
      const [pid, startTime] = name.slice(PREFIX.length).split('.');
      if (name.startsWith(PREFIX) && !isOwnerAlive(`${pid}:${startTime}`)) tryRemoveDirectory(join(directory, name));
    }
  }
}

/** A control file must exist: creating one by writing would hide that there is no such controller. */
function writeControl(file: string, value: string): void {
  const descriptor = openSync(file, constants.O_WRONLY);
  try {
    writeSync(descriptor, value);
  } finally {
    closeSync(descriptor);
  }
}

/** The same without holding up this process. */
async function writeControlAside(file: string, value: string): Promise<void> {
  const handle = await open(file, constants.O_WRONLY);
  try {
    await handle.write(value);
  } finally {
    await handle.close();
  }
}

function tryWriteControl(file: string, value: string): void {
  try {
    writeControl(file, value);
  } catch {
    // Without swap accounting there is nothing to bound.
  }
}

function tryReadCounter(file: string, name: string): number {
  try {
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function tryRemoveDirectory(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function tryList(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
