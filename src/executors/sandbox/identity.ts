import { readFileSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

import type { SandboxDescription, SandboxMount } from './sandbox.ts';

/** A user of the host that sandboxed processes run as. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

const NOBODY: Identity = { uid: 65534, gid: 65534 };
const ROOT = 0;

/**
 * The unprivileged user for a server that runs as root: `plugbridge` where an operator has made one, else nobody.
 * Undefined for every other server: its sandboxes run as its own user.
 */
export function findIdentity(uid: number | undefined = process.getuid?.()): Identity | undefined {
  if (uid !== ROOT) return undefined;
  try {
    return tryParseIdentity(readFileSync('/etc/passwd', 'utf8')) ?? NOBODY;
  } catch {
    return NOBODY;
  }
}

/** The entry `plugbridge` of a passwd(5) file, unless it is root by another name. */
export function tryParseIdentity(passwd: string): Identity | undefined {
  const match = /^plugbridge:[^:\n]*:(\d{1,10}):(\d{1,10}):/m.exec(passwd);
  const identity = match && { uid: Number(match[1]), gid: Number(match[2]) };
  return identity && identity.uid !== ROOT && identity.gid !== ROOT ? identity : undefined;
}

/** How a user comes to a mount: along its path on this host, or straight to it, where it has been staged (`staging.ts`). */
export type Approach = 'path' | 'staged';

/**
 * Whether this user can use everything that the description grants: reach and read every mount and what the command
 * names in it, write where writing is granted. Where not, a server that runs as root keeps its own user, for a granted
 * file that cannot be opened would break the plugin; inside, the process is unprivileged either way.
 * Access lists beyond the mode bits are not read: they end in the same fallback.
 */
export function canUse(identity: Identity, { mounts, command }: SandboxDescription, approach: Approach = 'path'): boolean {
  return (
    mounts.every(
      (mount) =>
        mount.access === 'none' || (canReachMount(identity, mount, { mounts, approach }) && canOpen(identity, mount.source, mount.access)),
    ) &&
    command.every((word) => {
      const mount = tryFindMount(mounts, word);
      if (!mount) return true;
      const source = tryHostPath(mounts, word) ?? word;
      // A word may name what is not there, such as a directory for packages of which there are none.
      if (!tryStat(source)) return true;
      const stop = approach === 'path' ? '/' : mount.source;
      return (source === stop || canReach(identity, source, stop)) && canOpen(identity, source, 'read');
    })
  );
}

/** The description without covers over what this user could not reach anyway: bubblewrap, as that user, could not put them there. */
export function withoutUnreachableCovers(
  description: SandboxDescription,
  identity: Identity,
  approach: Approach = 'path',
): SandboxDescription {
  const mounts = description.mounts.filter(
    (mount) => mount.access !== 'none' || canReachMount(identity, mount, { mounts: description.mounts, approach }),
  );
  return mounts.length === description.mounts.length ? description : { ...description, mounts };
}

/** Whether bubblewrap, as this user, gets to where a mount comes from and to where it goes, which is below another at times. */
function canReachMount(
  identity: Identity,
  mount: SandboxMount,
  { mounts, approach }: { mounts: readonly SandboxMount[]; approach: Approach },
): boolean {
  if (approach === 'path') return canReach(identity, mount.source);
  const outer = tryFindMount(
    mounts.filter(({ target }) => target !== mount.target),
    mount.target,
  );
  // In a covered directory bubblewrap makes its own way.
  if (!outer || outer.access === 'none') return true;
  return canReach(identity, outer.source + mount.target.slice(outer.target.length), outer.source);
}

/** Where a path inside the sandbox lies on the host; undefined when no mount holds it. The innermost mount wins. */
export function tryHostPath(mounts: readonly SandboxMount[], path: string): string | undefined {
  const mount = tryFindMount(mounts, path);
  return mount && mount.source + path.slice(mount.target.length);
}

function tryFindMount(mounts: readonly SandboxMount[], path: string): SandboxMount | undefined {
  return mounts
    .filter(({ target }) => path === target || path.startsWith(target === '/' ? '/' : `${target}/`))
    .reduce<SandboxMount | undefined>((best, next) => (best && best.target.length > next.target.length ? best : next), undefined);
}

const READ = 4;
const WRITE = 2;
const SEARCH = 1;

/** Looks at the directories above a path, up to and including `stop`. */
function canReach(identity: Identity, path: string, stop = '/'): boolean {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    if (!hasMode(identity, directory, SEARCH)) return false;
    if (directory === stop || directory === '/') return true;
  }
}

function canOpen(identity: Identity, path: string, access: 'read' | 'write'): boolean {
  const stat = tryStat(path);
  const wanted = READ | (access === 'write' ? WRITE : 0) | (stat?.isDirectory() ? SEARCH : 0);
  return hasMode(identity, path, wanted, stat);
}

function hasMode({ uid, gid }: Identity, path: string, wanted: number, stat: Stats | undefined = tryStat(path)): boolean {
  if (!stat) return false;
  const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0;
  return ((stat.mode >> shift) & wanted) === wanted;
}

function tryStat(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
