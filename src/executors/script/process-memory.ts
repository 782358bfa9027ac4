import { readFileSync } from 'node:fs';

const MAX_PROCESSES = 64;

/**
 * The bytes of memory that a process and all below it take: proportional set sizes, which divide shared pages among those
 * that share them (proc(5), smaps_rollup). Undefined where the system does not tell.
 */
export function tryMeasureMemory(pid: number): number | undefined {
  let bytes = 0;
  let seen = 0;
  for (const open = [pid]; open.length > 0 && seen < MAX_PROCESSES; seen += 1) {
    const next = open.pop() ?? 0;
    bytes += tryReadPss(next) ?? 0;
    open.push(...listChildren(next));
  }
  return bytes === 0 ? undefined : bytes;
}

function tryReadPss(pid: number): number | undefined {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(tryRead(`/proc/${pid}/smaps_rollup`) ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

const listChildren = (pid: number): number[] =>
  (tryRead(`/proc/${pid}/task/${pid}/children`) ?? '')
    .split(' ')
    .filter((word) => word !== '')
    .map(Number);

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
