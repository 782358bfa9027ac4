import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

import { followStatus, type BubblewrapStatus } from './follow-status.ts';
import type { Identity } from './identity.ts';
import { INHERITED } from './launcher-script.ts';
import type { MemoryFile } from './memory-file.ts';
import { watchChild } from './process-handle.ts';
import type { SandboxExit } from './sandbox.ts';
import { makeStandardPipes } from './standard-pipes.ts';
import { startProcess } from './start-process.ts';

/** A bubblewrap to start: it inherits what `INHERITED` names, then the files, and nothing else. */
export interface BubblewrapRequest {
  /** The absolute path of a program, then its arguments. */
  readonly words: readonly string[];
  /** What it reads from the descriptor for options. */
  readonly options: string;
  readonly files: readonly MemoryFile[];
  /** Whether the words begin another bubblewrap, which has its status at `outerStatus`. */
  readonly staged: boolean;
  /** Control files by which a process puts itself into a group, where it may; see `joined`. */
  readonly groups: readonly string[];
  /** Undefined: the user of this process. */
  readonly identity: Identity | undefined;
}

export interface StartedBubblewrap {
  /** Leader of a group of its own. */
  readonly pid: number;
  readonly pipes: { readonly stdin: Writable; readonly stdout: Readable; readonly stderr: Readable };
  readonly status: BubblewrapStatus;
  /** Whether it is in its groups from its start, or somebody has to put it there. */
  readonly joined: boolean;
  /** Settles when it has ended; never rejects. */
  readonly ended: Promise<SandboxExit>;
  /** Lets the command begin. Safe to call twice. */
  release(): void;
}

/** A way of starting bubblewrap. */
export interface BubblewrapStarter {
  /** Throws what the system throws. */
  start(request: BubblewrapRequest): Promise<StartedBubblewrap>;
  /** Ends all that it has started. */
  close(): Promise<void>;
}

const SHELL = '/bin/sh';

/** Forks this process: it works wherever bubblewrap does, and takes the longer the more memory this process has. */
export const DIRECT_STARTER: BubblewrapStarter = {
  start: startDirectly,
  close: () => Promise.resolve(),
};

async function startDirectly({ words, options, files, staged, identity }: BubblewrapRequest): Promise<StartedBubblewrap> {
  const [starter = '', ...rest] = words;
  const { childEnds, closeChildEnds, ...pipes } = await makeStandardPipes(SHELL);
  const inherited: number[] = [];
  try {
    for (const file of files) inherited.push(file.open());
    // A child of our own tells of its end by itself.
    if (staged) inherited.push(openSync('/dev/null', 'w'));
    const started = await startProcess(starter, rest, {
      // Node’s own environment would be readable inside as /proc/1/environ (sandbox.md §0.4).
      env: {},
      cwd: '/',
      detached: true,
      stdio: [...childEnds, 'pipe', 'pipe', 'pipe', ...inherited],
      ...identity,
    });
    if (!started.ok) throw new Error(started.reason);
    const { child } = started;
    const optionsPipe = writerOf(child, INHERITED.options);
    const block = writerOf(child, INHERITED.block);
    optionsPipe.end(options);
    return {
      pid: child.pid,
      pipes,
      status: followStatus(child.stdio[INHERITED.status] as Readable),
      joined: false,
      ended: watchChild(child),
      release: () => void block.end('1'),
    };
  } catch (error) {
    for (const pipe of Object.values(pipes)) pipe.destroy();
    throw error;
  } finally {
    for (const descriptor of inherited) closeSync(descriptor);
    closeChildEnds();
  }
}

function writerOf(child: ChildProcess, index: number): Writable {
  const pipe = child.stdio[index] as Writable;
  pipe.on('error', () => {});
  return pipe;
}
