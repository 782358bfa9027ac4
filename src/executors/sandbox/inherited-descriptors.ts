import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** `O_CLOEXEC` as `/proc/self/fdinfo` shows it, in octal (proc(5)). */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Closes every descriptor above 2 that this process inherited and would pass on: sandboxes get all descriptors without
 * O_CLOEXEC, and Node’s `spawn` closes only low ones (sandbox.md §0.7). Call once, first thing in the process: Node opens
 * its own with O_CLOEXEC, so what lacks it came from outside. Linux only. Returns the descriptors it closed.
 */
export function closeInheritedDescriptors(platform: NodeJS.Platform = process.platform): readonly number[] {
  if (platform !== 'linux') return [];
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor > 2 && isInherited(descriptor) && tryClose(descriptor));
}

function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false;
  }
}

function tryClose(descriptor: number): boolean {
  try {
    closeSync(descriptor);
    return true;
  } catch {
    return false;
  }
}
