import { readdirSync, readFileSync } from 'node:fs';

import { tryReadStat } from '../../src/executors/sandbox/owner.ts';

/** The processes of the machine that are not zombies, with their command lines, words parted by spaces. */
export function listProcesses(): { readonly pid: number; readonly parent: number; readonly commandLine: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = tryReadStat(Number(name));
    if (!stat || stat.state === 'Z' || stat.state === 'X') return [];
    try {
      return [{ pid: Number(name), parent: stat.parent, commandLine: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ') }];
    } catch {
      return [];
    }
  });
}

/** All processes below one, children first. */
export function listDescendants(pid: number): number[] {
  const processes = listProcesses();
  const below = (parent: number): number[] =>
    processes.filter((process) => process.parent === parent).flatMap((child) => [child.pid, ...below(child.pid)]);
  return below(pid);
}

export const isRunning = (pid: number): boolean => listProcesses().some((process) => process.pid === pid);
