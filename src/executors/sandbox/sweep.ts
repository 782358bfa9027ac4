import { readdirSync, readFileSync, statSync } from 'node:fs';

import { OWNER_VARIABLE } from './bubblewrap.ts';
import { findCgroupHome, sweepCgroups } from './cgroup.ts';
import { findIdentity } from './identity.ts';
import { isOwnerAlive, tryReadStat } from './owner.ts';
import { killGroup } from './process-handle.ts';
import { sweepTemporaryDirectories } from './temporary-directory.ts';

/**
 * Kills what servers left behind that died while starting a sandbox (sandbox.md §0.6), and removes their empty control
 * groups and their temporary directories. Only processes of our own user or of the sandbox’s user that carry the mark of a dead server.
 * Returns the process ids that it killed, in no order.
 */
export function sweepOrphans(): readonly number[] {
  if (process.platform !== 'linux') return [];
  const users = new Set([process.getuid?.(), findIdentity()?.uid]);
  const killed = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => isOrphan(pid, users) && kill(pid));
  const home = findCgroupHome(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8'));
  if (home) sweepCgroups(home);
  sweepTemporaryDirectories();
  return killed;
}

function isOrphan(pid: number, users: ReadonlySet<number | undefined>): boolean {
  try {
    if (!users.has(statSync(`/proc/${pid}`).uid)) return false;
    const mark =
      tryFindMark(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')) ??
      tryFindVariable(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0'));
    return mark !== undefined && !isOwnerAlive(mark);
  } catch {
    // Ended meanwhile, or not ours to look at.
    return false;
  }
}

/** The owner in the command line of a bubblewrap that we started: exactly the pair of options that sets and unsets it. */
export function tryFindMark(words: readonly string[]): string | undefined {
  const end = words.indexOf('--');
  const at = words.indexOf(OWNER_VARIABLE);
  const isOurs = at > 0 && at < end && words[at - 1] === '--setenv' && words[at + 2] === '--unsetenv' && words[at + 3] === OWNER_VARIABLE;
  return isOurs && /(^|\/)bwrap$/.test(words[0] ?? '') ? words[at + 1] : undefined;
}

/** The owner in the environment of an unisolated process. */
export function tryFindVariable(variables: readonly string[]): string | undefined {
  return variables.find((variable) => variable.startsWith(`${OWNER_VARIABLE}=`))?.slice(OWNER_VARIABLE.length + 1);
}

/** The group too, for the process that carries the mark may have started others. */
function kill(pid: number): boolean {
  const group = tryReadStat(pid)?.group;
  const own = tryReadStat(process.pid)?.group;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
  if (group !== undefined && group > 1 && group !== own) killGroup(group);
  return true;
}
