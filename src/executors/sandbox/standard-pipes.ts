import { closeSync, constants, fchmodSync, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

import { startProcess } from './start-process.ts';

/** The three streams of a process, as real pipes. */
export interface StandardPipes {
  /** What the child inherits as 0, 1 and 2. */
  readonly childEnds: readonly [number, number, number];
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Once the child has them; until then no stream ends. */
  closeChildEnds(): void;
}

interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** A constant: each here-document is a pipe that holds one line. Every shell can name the descriptors up to 9. */
const MAKE_PIPES = `exec 3<<A 4<<A 5<<A\n${'x\nA\n'.repeat(3)}echo; read -r line`;

/**
 * Makes the pipes of a process that is started without a launcher. Node connects its children by sockets, and those cannot
 * be opened again by name: `cat /dev/stdin` and `echo > /dev/stderr` fail with ENXIO in every plugin that uses them. Node
 * has no call for pipes, so a shell makes some and this process opens both ends of each through `/proc`. Named pipes would
 * not do: opening one for reading waits for a writer, for ever when the input has already ended.
 * Throws what the system throws.
 */
export async function makeStandardPipes(shell: string): Promise<StandardPipes> {
  const started = await startProcess(shell, ['-c', MAKE_PIPES], { env: {}, detached: false, stdio: ['pipe', 'pipe', 'ignore'] });
  if (!started.ok) throw new Error(started.reason);
  const { child } = started;
  child.stdin?.on('error', () => {});
  const made: Pipe[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`${shell} made no pipes and ended with ${code}`)));
      child.stdout?.once('data', () => resolve());
    });
    const take = (descriptor: number): Pipe => {
      const pipe = openPipe(`/proc/${child.pid}/fd/${descriptor}`);
      made.push(pipe);
      return pipe;
    };
    return connect(take(3), take(4), take(5));
  } catch (error) {
    made.forEach(closePipe);
    throw error;
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
  }
}

function connect(input: Pipe, output: Pipe, errors: Pipe): StandardPipes {
  // The child’s input has to block, and was opened without.
  const childInput = openSync(`/proc/self/fd/${input.readEnd}`, constants.O_RDONLY);
  closeSync(input.readEnd);
  const childEnds = [childInput, output.writeEnd, errors.writeEnd] as const;
  return {
    childEnds,
    stdin: new Socket({ fd: input.writeEnd, readable: false, writable: true }),
    stdout: new Socket({ fd: output.readEnd, readable: true, writable: false }),
    stderr: new Socket({ fd: errors.readEnd, readable: true, writable: false }),
    closeChildEnds: () => childEnds.forEach((descriptor) => closeSync(descriptor)),
  };
}

function openPipe(path: string): Pipe {
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  // Whoever holds the pipe may open it again under another user’s id; nobody else has a name for it.
  fchmodSync(readEnd, 0o666);
  readSync(readEnd, Buffer.alloc(16));
  return { readEnd, writeEnd };
}

function closePipe({ readEnd, writeEnd }: Pipe): void {
  closeSync(readEnd);
  closeSync(writeEnd);
}
