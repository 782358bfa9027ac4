import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Directories of the system’s own programs; `PATH` is not asked, for a plugin’s directory could be on it. */
const SYSTEM_DIRECTORIES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/run/current-system/sw/bin'];

/** The absolute path of a program of the system; undefined where it is not installed. */
export function tryFindProgram(name: string, directories: readonly string[] = SYSTEM_DIRECTORIES): string | undefined {
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
