import { readFileSync } from 'node:fs';

/**
 * Marks what a server has started, so that a later one can tell whether its owner still lives: process id and start
 * time, for an id alone is reused. Linux only; elsewhere the start time is 0.
 */
export function describeOwner(pid: number = process.pid): string {
  return `${pid}:${tryReadStat(pid)?.startTime ?? 0}`;
}

/** Whether a process runs; one that only waits to be noticed by its parent does not. */
export function isAlive(pid: number): boolean {
  const stat = tryReadStat(pid);
  return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X';
}

/** Whether the process that an owner mark names is still running. A mark that is not one belongs to nobody we know: alive. */
export function isOwnerAlive(mark: string): boolean {
  const match = /^(\d{1,10}):(\d{1,20})$/.exec(mark);
  if (!match) return true;
  const stat = tryReadStat(Number(match[1]));
  return stat !== undefined && stat.startTime === Number(match[2]) && stat.state !== 'Z' && stat.state !== 'X';
}

export interface ProcessStat {
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly startTime: number;
}

/** The fields of `/proc/PID/stat` that we use (proc(5)); undefined when there is no such process. */
export function tryReadStat(pid: number): ProcessStat | undefined {
  try {
    return tryParseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** The program’s name stands in parentheses and may hold anything, so fields count from the last one. */
export function tryParseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  const startTime = fields[19];
  if (state === undefined || parent === undefined || group === undefined || startTime === undefined) return undefined;
  return { state, parent: Number(parent), group: Number(group), startTime: Number(startTime) };
}
