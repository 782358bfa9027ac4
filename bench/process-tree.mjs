// What a server and everything it started cost, from /proc. Linux only.
import { readdirSync, readFileSync } from 'node:fs';

/** A tick of /proc/<pid>/stat on every Linux that Node.js runs on. */
const TICK_MS = 10;

/** The ids of a process and its descendants; any thread of a process may have started children. */
export function listTree(pid, found = []) {
  found.push(pid);
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
      for (const child of children === '' ? [] : children.split(' ')) listTree(Number(child), found);
    }
  } catch {
    // It has ended while we looked.
  }
  return found;
}

/**
 * Of a whole tree: `cpuMs` used so far, `rssMiB` and `peakRssMiB` summed over processes (shared pages count in each),
 * `pssMiB` with every shared page divided among those that share it, and the number of `processes`.
 */
export function measureTree(pid) {
  const sum = { cpuMs: 0, rssMiB: 0, peakRssMiB: 0, pssMiB: 0, processes: 0 };
  for (const member of listTree(pid)) {
    try {
      const stat = readFileSync(`/proc/${member}/stat`, 'utf8');
      const [, , , , , , , , , , , user, system, childUser, childSystem] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const status = readFileSync(`/proc/${member}/status`, 'utf8');
      sum.cpuMs += TICK_MS * (Number(user) + Number(system) + Number(childUser) + Number(childSystem));
      sum.rssMiB += readKib(status, 'VmRSS') / 1024;
      sum.peakRssMiB += readKib(status, 'VmHWM') / 1024;
      sum.pssMiB += readKib(readFileSync(`/proc/${member}/smaps_rollup`, 'utf8'), 'Pss') / 1024;
      sum.processes++;
    } catch {
      // It has ended while we looked.
    }
  }
  return sum;
}

const readKib = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);

/** When each process of a list was born; an id alone may have been given to another process meanwhile. */
export const readBirths = (pids) => pids.map((pid) => [pid, readBirth(pid)]);

/** How many of these processes live on `waitMs` later; those are killed, by id. */
export async function endSurvivors(births, waitMs) {
  const alive = () => births.filter(([pid, birth]) => birth !== undefined && readBirth(pid) === birth);
  const untilMs = performance.now() + waitMs;
  while (alive().length > 0 && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 10));
  const survivors = alive();
  for (const [pid] of survivors) process.kill(pid, 'SIGKILL');
  return survivors.length;
}

function readBirth(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
