import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

import { HostError } from '../errors.ts';

const RETRY_MS = 10;
const WAIT_MS = 5000;
/** Work under a lock takes milliseconds; a lock this old belongs to a process that hangs or to a reused process id. */
const STALE_MS = 30_000;

/**
 * Does `work` while holding a lock file that all processes of this machine respect. Waits up to five seconds, then throws
 * HostError TRUST_STORE_BUSY. The lock of a process that died is taken over. Blocks while waiting, for the work is a read
 * and a write of a small file: whoever holds the lock is done within milliseconds.
 */
export function withLock<Result>(lockFile: string, work: () => Result): Result {
  const mark = `${process.pid} ${randomUUID()}`;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const startedMs = performance.now();
  while (!tryLock(lockFile, mark)) {
    if (performance.now() - startedMs > WAIT_MS) throw new HostError('TRUST_STORE_BUSY', { file: lockFile, waitedMs: WAIT_MS });
    breakStaleLock(lockFile);
    Atomics.wait(sleeper, 0, 0, RETRY_MS * (1 + Math.random()));
  }
  try {
    return work();
  } finally {
    if (tryRead(lockFile) === mark) rmSync(lockFile, { force: true });
  }
}

function tryLock(lockFile: string, mark: string): boolean {
  try {
    writeFileSync(lockFile, mark, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Two breakers must not remove each other’s new lock, so breaking is itself done under a lock. */
function breakStaleLock(lockFile: string): void {
  if (!isStale(lockFile)) return;
  const breaker = `${lockFile}.break`;
  if (!tryLock(breaker, String(process.pid))) {
    if (ageMs(breaker) > STALE_MS) rmSync(breaker, { force: true });
    return;
  }
  try {
    if (isStale(lockFile)) rmSync(lockFile, { force: true });
  } finally {
    rmSync(breaker, { force: true });
  }
}

function isStale(lockFile: string): boolean {
  const holder = Number.parseInt(tryRead(lockFile) ?? '', 10);
  const age = ageMs(lockFile);
  // An empty file is a lock whose holder has not yet written its mark.
  return age > STALE_MS || (Number.isInteger(holder) && !isAlive(holder));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Zero for a file that is gone. */
function ageMs(file: string): number {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? 0 : Date.now() - stat.mtimeMs;
}

function tryRead(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
