import { readdirSync, readFileSync } from 'node:fs';

/** A process as `/proc` shows it (proc(5)); pid and start together name it for good. */
export interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  readonly startTicks: number;
  /** Processor time used, in ticks of 10 ms. */
  readonly cpuTicks: number;
  readonly command: string;
}

function trySee(pid: number): SeenProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie is dead; it waits only for its parent to take note.
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return {
      pid,
      parent: Number(fields[1]),
      startTicks: Number(fields[19]),
      cpuTicks: Number(fields[11]) + Number(fields[12]),
      command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '),
    };
  } catch {
    return undefined;
  }
}

const listProcesses = (): SeenProcess[] => readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (trySee(Number(name)) ?? []) : []));

/** All descendants of a process, without itself. */
export function listDescendants(pid: number): SeenProcess[] {
  const all = listProcesses();
  const found: SeenProcess[] = [];
  for (let parents = [pid]; parents.length > 0;) {
    const children = all.filter((one) => parents.includes(one.parent));
    found.push(...children);
    parents = children.map((one) => one.pid);
  }
  return found;
}

/** Those that still live. */
export const stillAlive = (processes: readonly SeenProcess[]): SeenProcess[] =>
  processes.filter((one) => trySee(one.pid)?.startTicks === one.startTicks);

/** Processes whose command line holds the text, such as a path that only one test uses. */
export const findByCommand = (text: string): SeenProcess[] => listProcesses().filter((one) => one.command.includes(text));

/** Processes that these servers have marked as started by them, be it that they died since (sandbox.md §0.6). */
export const findOwned = (servers: ReadonlySet<number>): number[] =>
  readdirSync('/proc').flatMap((pid) => {
    try {
      const words = `${readFileSync(`/proc/${pid}/cmdline`, 'latin1')}\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`;
      const owner = /PLUGBRIDGE_OWNER[\0=](\d+):\d+/.exec(words)?.[1];
      return /^\d+$/.test(pid) && owner !== undefined && servers.has(Number(owner)) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });

/** The descendant that burns the processor: the one with the most time used since `before`, if that is at least `ticks`. */
export function findBusy(pid: number, before: readonly SeenProcess[], ticks = 10): SeenProcess | undefined {
  const spent = listDescendants(pid).map((one) => {
    const earlier = before.find((other) => other.pid === one.pid && other.startTicks === one.startTicks);
    return { one, ticks: one.cpuTicks - (earlier?.cpuTicks ?? 0) };
  });
  return spent.toSorted((a, b) => b.ticks - a.ticks).find((candidate) => candidate.ticks >= ticks)?.one;
}
