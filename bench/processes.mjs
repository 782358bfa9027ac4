// What a server and everything it started cost, read from /proc: processor time, memory, and what outlives it.
import { readdirSync, readFileSync } from 'node:fs';

const TICK_MS = 10;

/** A process and all its descendants. */
export function listTree(pid, found = []) {
  found.push(pid);
  try {
    // Any thread may have forked children.
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      for (const child of readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ')) if (child) listTree(Number(child), found);
    }
  } catch {
    // Gone meanwhile.
  }
  return found;
}

/** Processor time and memory of a tree. PSS shares out common pages, so that it can be added up. */
export function measureTree(pid) {
  const sum = { cpuMs: 0, rssMiB: 0, pssMiB: 0, processes: 0 };
  for (const member of listTree(pid)) {
    try {
      const stat = readFileSync(`/proc/${member}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      sum.cpuMs += TICK_MS * [11, 12, 13, 14].reduce((total, at) => total + Number(fields[at]), 0);
      const rollup = readFileSync(`/proc/${member}/smaps_rollup`, 'utf8');
      sum.rssMiB += Number(/^Rss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
      sum.pssMiB += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
      sum.processes += 1;
    } catch {
      // Gone meanwhile.
    }
  }
  return sum;
}

const startOf = (pid) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
};

/** Remembers the descendants of a server; `countLeft` later tells how many of these very processes still live, and ends them. */
export function censusOf(pid) {
  const members = listTree(pid)
    .slice(1)
    .map((member) => [member, startOf(member)]);
  return {
    async countLeft() {
      const left = () => members.filter(([member, start]) => start !== undefined && startOf(member) === start);
      for (let i = 0; i < 50 && left().length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
      for (const [member] of left()) process.kill(member, 'SIGKILL');
      return left().length;
    },
  };
}
