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

/**
 * Whether this user can use everything that the description grants: reach and read every mount and what the command
 * names in it, write where writing is granted. Where not, a server that runs as root keeps its own user, for a granted
 * file that cannot be opened would break the plugin; inside, the process is unprivileged either way.
 * Access lists beyond the mode bits are not read: they end in the same fallback.
 */
export function canUse(identity: Identity, { mounts, command }: SandboxDescription): boolean {
  return (
    mounts.every(({ source, access }) => canReach(identity, source) && canOpen(identity, source, access)) &&
    command.every((word) => {
      const source = tryHostPath(mounts, word);
      return source === undefined || (canReach(identity, source) && canOpen(identity, source, 'read'));
    })
  );
}

/** Where a path inside the sandbox lies on the host; undefined when no mount holds it. The innermost mount wins. */
export function tryHostPath(mounts: readonly SandboxMount[], path: string): string | undefined {
  const mount = mounts
    .filter(({ target }) => path === target || path.startsWith(target === '/' ? '/' : `${target}/`))
    .reduce<SandboxMount | undefined>((best, next) => (best && best.target.length > next.target.length ? best : next), undefined);
  return mount && mount.source + path.slice(mount.target.length);
}

const READ = 4;
const WRITE = 2;
const SEARCH = 1;

function canReach(identity: Identity, path: string): boolean {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    if (!hasMode(identity, directory, SEARCH)) return false;
    if (directory === '/') return true;
  }
}

function canOpen(identity: Identity, path: string, access: SandboxMount['access']): boolean {
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
