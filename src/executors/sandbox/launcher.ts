import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';

import { OWNER_VARIABLE } from './bubblewrap.ts';
import type { Identity } from './identity.ts';
import { FIRST_FILE, toLauncherScript } from './launcher-script.ts';
import { openSlot, type Slot } from './launcher-slot.ts';
import type { MemoryFile } from './memory-file.ts';
import { killGroup } from './process-handle.ts';
import { startProcess } from './start-process.ts';

/** One long-lived shell of one user, which forks the sandboxes for this process: a fork of it is small, of ours is not. */
export interface Launcher {
  readonly isAlive: boolean;
  /** A slot that nobody else has. Rejects when the launcher has died, or gives none in time. */
  take(): Promise<Slot>;
  /**
   * The exit status (bash(1)) of the process that a slot has become, or of the slot. To be called for each, once it is about
   * to end. Settles when it is gone; with undefined when the launcher died before, and all that it had started with it.
   */
  end(pid: number): Promise<number | undefined>;
  /** Ends all that it has started, and waits until it has ended itself. */
  close(): Promise<void>;
}

export interface LauncherOptions {
  /** A bash, absolute. */
  readonly shell: string;
  /** What each sandbox inherits, from `FIRST_FILE` on. */
  readonly files: readonly MemoryFile[];
  /** Undefined: the user of this process. */
  readonly identity: Identity | undefined;
  readonly owner: string;
}

/** Slots that are kept ready, so that a start seldom waits for a fork. */
const SPARE = 1;
const TAKE_MS = 10_000;
const CLOSE_MS = 2000;

/** Starts a launcher. Rejects when the shell does not start; whether it can make slots shows when one is taken. */
export async function startLauncher({ shell, files, identity, owner }: LauncherOptions): Promise<Launcher> {
  const inherited = files.map((file) => file.open());
  const placeholders = Array.from({ length: FIRST_FILE - 3 }, () => 'ignore' as const);
  // Where its input is a socket, bash would read its user’s settings (bash(1), “Invocation”).
  const started = await startProcess(shell, ['--norc', '--noprofile', '-c', toLauncherScript(files.length), 'plugbridge-launcher'], {
    env: { [OWNER_VARIABLE]: owner },
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore', ...placeholders, ...inherited],
    ...identity,
  }).finally(() => inherited.forEach((descriptor) => closeSync(descriptor)));
  if (!started.ok) throw new Error(started.reason);
  return follow(started.child);
}

interface Waiter {
  readonly resolve: (slot: Slot) => void;
  readonly reject: (reason: Error) => void;
}

function follow(child: ChildProcess & { readonly pid: number }): Launcher {
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new TypeError('the launcher was started without pipes');
  const waiting: Waiter[] = [];
  const ready: Slot[] = [];
  /** What it has forked and has not told the end of. */
  const running = new Set<number>();
  const asked = new Map<number, (status: number | undefined) => void>();
  let requested = 0;
  let alive = true;

  // An idle launcher does not keep this process from ending; one that owes an answer does.
  const holdOpen = (): void => {
    if (stdout instanceof Socket) stdout[waiting.length + asked.size > 0 ? 'ref' : 'unref']();
  };
  const request = (): void => {
    for (; requested < waiting.length + SPARE - ready.length; requested += 1) stdin.write('\n');
    holdOpen();
  };
  const fail = (reason: Error): void => {
    for (const waiter of waiting.splice(0)) waiter.reject(reason);
    holdOpen();
  };
  const addSlot = (pid: number): void => {
    requested -= 1;
    running.add(pid);
    try {
      const slot = openSlot(pid);
      const waiter = waiting.shift();
      if (waiter) waiter.resolve(slot);
      else ready.push(slot);
    } catch (error) {
      void end(pid);
      fail(error instanceof Error ? error : new Error(String(error)));
    }
    holdOpen();
  };
  const addEnd = (pid: number, status: number): void => {
    running.delete(pid);
    asked.get(pid)?.(status);
    asked.delete(pid);
    holdOpen();
  };
  const end = (pid: number): Promise<number | undefined> =>
    new Promise((resolve) => {
      if (!alive) return resolve(undefined);
      asked.set(pid, resolve);
      stdin.write(`${pid}\n`);
      holdOpen();
    });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      alive = false;
      for (const slot of ready.splice(0)) slot.discard();
      // What had not asked yet to die with its parent would stay.
      for (const pid of running) killGroup(pid);
      running.clear();
      for (const answer of asked.values()) answer(undefined);
      asked.clear();
      fail(new Error('the launcher has ended'));
      resolve();
    });
  });

  stdin.on('error', () => {});
  stdout.on('error', () => {});
  readLines(stdout, (line) => {
    const [pid, status] = line.split(' ').map(Number);
    if (pid === undefined || !alive) return;
    if (status === undefined) addSlot(pid);
    else addEnd(pid, status);
  });
  child.unref();
  if (stdin instanceof Socket) stdin.unref();
  holdOpen();

  return {
    get isAlive() {
      return alive;
    },
    take: () =>
      new Promise((resolve, reject) => {
        if (!alive) return reject(new Error('the launcher has ended'));
        const slot = ready.shift();
        if (slot) resolve(slot);
        else waiting.push(withDeadline({ resolve, reject }, () => child.kill('SIGKILL')));
        request();
      }),
    end,
    close: async () => {
      if (!alive) return;
      for (const slot of ready.splice(0)) slot.discard();
      child.ref();
      stdin.end();
      const deadline = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS);
      await gone;
      clearTimeout(deadline);
    },
  };
}

/** A launcher that gives nothing for so long is of no use to anybody. */
function withDeadline({ resolve, reject }: Waiter, onLate: () => void): Waiter {
  const deadline = setTimeout(onLate, TAKE_MS);
  return {
    resolve: (slot) => {
      clearTimeout(deadline);
      resolve(slot);
    },
    reject: (reason) => {
      clearTimeout(deadline);
      reject(reason);
    },
  };
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('latin1');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}
