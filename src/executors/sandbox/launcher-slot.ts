import { closeSync, constants, fchmodSync, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

import { OPENED, SLOT_PIPES } from './launcher-script.ts';

/** The server’s ends of the pipes of a slot, a process that will become a sandbox. */
export interface Slot {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly status: Readable;
  /** Ends with the process itself, where that is the outer of two bubblewraps. */
  readonly outer: Readable;
  /** Has it become what the request says, with these options. Once. */
  go(request: Buffer, options: string): void;
  /** Lets the command begin. Safe to call twice. */
  release(): void;
  /** Closes everything: one that waits ends. */
  discard(): void;
}

type PipeName = keyof typeof SLOT_PIPES;

const READ = constants.O_RDONLY | constants.O_NONBLOCK;
const WRITE = constants.O_WRONLY | constants.O_NONBLOCK;
const ENDS: readonly (readonly [PipeName, number])[] = [
  ['stdin', WRITE],
  ['stdout', READ],
  ['stderr', READ],
  ['options', WRITE],
  ['status', READ],
  ['block', WRITE],
  ['outer', READ],
  ['command', WRITE],
];
/** What programs inside may open again by name, as another user of the host too; nobody else has a name for them. */
const STANDARD: ReadonlySet<PipeName> = new Set(['stdin', 'stdout', 'stderr']);

/**
 * Opens the pipes of a slot through `/proc`: what one process reads, another can open for writing. Throws what the system
 * throws, and when they are no pipes, as in a bash that keeps here-documents in files.
 */
export function openSlot(pid: number): Slot {
  const opened = new Map<PipeName, number>();
  try {
    for (const [name, flags] of ENDS) {
      const descriptor = openSync(`/proc/${pid}/fd/${SLOT_PIPES[name]}`, flags);
      opened.set(name, descriptor);
      if (!fstatSync(descriptor).isFIFO()) throw new Error('its here-documents are no pipes');
      if (STANDARD.has(name)) fchmodSync(descriptor, 0o666);
      if (name === 'command') writeSync(descriptor, OPENED);
    }
  } catch (error) {
    for (const descriptor of opened.values()) closeSync(descriptor);
    throw error;
  }
  const take = (name: PipeName): number | undefined => {
    const descriptor = opened.get(name);
    opened.delete(name);
    return descriptor;
  };
  const drop = (name: PipeName): void => {
    const descriptor = take(name);
    if (descriptor !== undefined) closeSync(descriptor);
  };
  const reader = (name: PipeName) => new Socket({ fd: take(name) ?? -1, readable: true, writable: false });
  const [stdout, stderr, status, outer] = [reader('stdout'), reader('stderr'), reader('status'), reader('outer')];
  const stdin = new Socket({ fd: take('stdin') ?? -1, readable: false, writable: true });
  const streams = [stdin, stdout, stderr, status, outer];
  const release = (): void => {
    const descriptor = take('block');
    if (descriptor !== undefined) writeAll(descriptor, Buffer.from('1'));
  };
  return {
    pid,
    stdin,
    stdout,
    stderr,
    status,
    outer,
    go: (request, options) => {
      const [command, optionsEnd] = [take('command'), take('options')];
      if (command !== undefined) writeAll(command, request);
      if (optionsEnd !== undefined) writeAll(optionsEnd, Buffer.from(options));
    },
    release,
    discard: () => {
      for (const name of opened.keys()) drop(name);
      for (const stream of streams) stream.destroy();
    },
  };
}

/** Writes and closes: at once what the pipe takes, the rest when it takes more. A reader that is gone is no error here. */
function writeAll(descriptor: number, bytes: Buffer): void {
  let written = 0;
  try {
    written = writeSync(descriptor, bytes);
  } catch (error) {
    // EAGAIN: the pipe takes nothing of so much; EPIPE: the end of the process tells.
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') written = bytes.length;
  }
  if (written === bytes.length) {
    closeSync(descriptor);
    return;
  }
  const rest = new Socket({ fd: descriptor, readable: false, writable: true });
  rest.on('error', () => {});
  rest.end(bytes.subarray(written));
}
