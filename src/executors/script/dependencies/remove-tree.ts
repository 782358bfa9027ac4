import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes a directory and all in it, links not followed, also where packages have taken our own rights to it away. Rejects when it stays. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    openDirectories(path);
    await rm(path, { recursive: true, force: true });
  }
}

function openDirectories(path: string): void {
  // Packages nest deeper than a stack goes.
  for (let rest = [path]; rest.length > 0;) {
    const directory = rest.pop() ?? path;
    if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
    chmodSync(directory, 0o700);
    for (const entry of readdirSync(directory, { withFileTypes: true })) if (entry.isDirectory()) rest.push(join(directory, entry.name));
  }
}
