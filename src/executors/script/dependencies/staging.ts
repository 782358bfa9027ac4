import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';

import { findIdentity } from '../../sandbox/identity.ts';
import { describeOwner, isOwnerAlive } from '../../sandbox/owner.ts';
import { removeTree } from './remove-tree.ts';

/** What we keep in a plugin’s directory beside its files. */
const HOME = '.dependencies';
const STAGING = /^staging-(?<pid>\d{1,10})-(?<startTime>\d{1,20})-[0-9a-f]{12}$/;

export interface StagingOptions {
  /** The plugin’s directory, absolute and canonical. */
  readonly directory: string;
  /** Where the packages are in the end, relative to it. */
  readonly dependencyDirectory: string;
  /** The last part of the path of the packages while they are installed. */
  readonly targetName: string;
}

/** A place for an installation that nobody uses before it is complete. */
export interface Staging {
  /** All that the package manager may write to. */
  readonly box: string;
  readonly home: string;
  readonly scratch: string;
  /** Its working directory. */
  readonly project: string;
  /** Where it puts the packages, below `project`. */
  readonly target: string;
  /** Puts the packages in the place of the old ones; throws and leaves the old ones when it cannot. */
  swapIn(): void;
  /** Removes what is left of it. */
  remove(): Promise<void>;
}

export type StagingResult = { readonly ok: true; readonly staging: Staging } | { readonly ok: false; readonly reason: string };

/**
 * Makes a staging directory in the plugin’s directory, on the same disk as its dependencies, and removes those of
 * installations that were killed. Rejects with a system error.
 */
export async function createStaging({ directory, dependencyDirectory, targetName }: StagingOptions): Promise<StagingResult> {
  const home = join(directory, HOME);
  mkdirSync(home, { recursive: true, mode: 0o755 });
  const final = join(directory, dependencyDirectory);
  if (!lstatSync(home).isDirectory()) return { ok: false, reason: `"${home}" must be a directory and no link` };
  await removeLeftovers(home, final);

  const [pid, startTime] = describeOwner().split(':');
  const base = join(home, `staging-${pid}-${startTime}-${randomBytes(6).toString('hex')}`);
  const box = join(base, 'box');
  const project = join(box, 'project');
  const places = { home: join(box, 'home'), scratch: join(box, 'tmp'), project, target: join(project, targetName) };
  mkdirSync(base, { mode: 0o711 });
  for (const path of [box, places.home, places.scratch, project]) makeOwnDirectory(path);
  const swapIn = (): void => swap({ final, old: join(base, nameOld(final)), fresh: places.target });
  return { ok: true, staging: { box, ...places, swapIn, remove: () => removeTree(base) } };
}

/**
 * Closed to others, for packages may bring files with any mode until they have been checked. A server that runs as root
 * starts the sandbox as another user where that one can reach the plugin, and else as itself: both can write here.
 */
function makeOwnDirectory(path: string): void {
  const identity = findIdentity();
  mkdirSync(path, { mode: 0o700 });
  if (identity === undefined) return;
  chownSync(path, identity.uid, process.getgid?.() ?? identity.gid);
  chmodSync(path, 0o770);
}

interface Swap {
  readonly final: string;
  readonly old: string;
  readonly fresh: string;
}

/** Two renames; what ends the process between them is mended by the next installation. */
function swap({ final, old, fresh }: Swap): void {
  const had = lstatSync(final, { throwIfNoEntry: false }) !== undefined;
  if (had) renameSync(final, old);
  try {
    renameSync(fresh, final);
  } catch (error) {
    if (had) renameSync(old, final);
    throw error;
  }
}

const nameOld = (final: string): string => `old-${basename(final)}`;

/** What killed installations left; packages that were on their way out while none had come in go back. */
async function removeLeftovers(home: string, final: string): Promise<void> {
  for (const entry of readdirSync(home, { withFileTypes: true })) {
    const { pid, startTime } = STAGING.exec(entry.name)?.groups ?? {};
    if (pid === undefined || startTime === undefined || !entry.isDirectory() || isAlive(pid, startTime)) continue;
    const old = join(home, entry.name, nameOld(final));
    if (existsSync(old) && lstatSync(final, { throwIfNoEntry: false }) === undefined) renameSync(old, final);
    await removeTree(join(home, entry.name));
  }
}

/** Where start times are not known, a number that some process has counts as alive. */
function isAlive(pid: string, startTime: string): boolean {
  if (startTime !== '0') return isOwnerAlive(`${pid}:${startTime}`);
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
}
