import { lstatSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describeOwner, isOwnerAlive } from './owner.ts';

const NAME = /^plugbridge-(\d{1,10})\.(\d{1,20})\.(\d{1,20})-[A-Za-z0-9]{6}$/;

/**
 * A fresh directory (0700) in the system’s temporary one, by its canonical path: macOS’s is reached through links. Its name
 * tells whose it is, so that a sweep finds it when this server dies. Throws what the system throws.
 */
export function makeTemporaryDirectory(parent: string = tmpdir()): string {
  return mkdtempSync(join(realpathSync(parent), `plugbridge-${describeOwner().replace(':', '.')}.${findProcessNamespace()}-`));
}

/** Removes the temporary directories that servers of this user have left which are no more. */
export function sweepTemporaryDirectories(parent: string = tmpdir()): void {
  for (const name of tryList(parent)) {
    const [, pid, startTime, namespace] = NAME.exec(name) ?? [];
    if (pid === undefined || namespace !== findProcessNamespace() || isOwnerAlive(`${pid}:${startTime}`)) continue;
    const path = join(parent, name);
    try {
      const stat = lstatSync(path);
      if (stat.isDirectory() && stat.uid === process.getuid?.()) rmSync(path, { recursive: true, force: true });
    } catch {
      // Gone meanwhile.
    }
  }
}

/** A server in another container counts its processes differently and may share the directory; `0` where there are none. */
function findProcessNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

function tryList(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
