import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';

import type { LiveEnds, Tier } from '../executor.ts';
import { isAlive as isProcessAlive } from '../sandbox/owner.ts';
import type { RunDirectory, SandboxedProcess } from '../sandbox/sandbox.ts';
import { createEndMark, type EndMark } from './output/end-mark.ts';
import { readEnding, type ScriptEnding, type StopReason } from './ending.ts';
import { createLineLog } from './output/line-log.ts';

/** The way out of one process; refuses everything until a call has lent it its permit. */
export interface ProcessEgress {
  attach(permit: LiveEnds['permit']): void;
  close(): Promise<void>;
}

export interface ScriptInput {
  /** The first argument of the script, if any; UTF-8. */
  readonly argument: string;
  /** The whole of its standard input. */
  readonly stdin: string;
}

export interface OutputBounds {
  /** Of stdout, and of stderr: more ends the script. */
  readonly outputBytes: number;
  /** Of stderr, as log lines: more is dropped and counted. */
  readonly logBytes: number;
  readonly log: (line: string) => void;
}

/** Everything that a script left. */
export interface ScriptRun {
  readonly ending: ScriptEnding;
  readonly stdout: Buffer;
  /** The end of stderr, bounded. */
  readonly stderrTail: string;
  readonly logBytesDropped: number;
  readonly bytesIn: number;
}

export interface RunningScript {
  /** Kills the whole tree; the first reason wins. */
  stop(by: StopReason): void;
  /** Settles when the script is over, be it that its processes are still being ended. Never rejects. */
  readonly ended: Promise<ScriptRun>;
}

/** An interpreter that waits with a loaded script for the one call it will serve. */
export interface ScriptProcess {
  readonly pid: number;
  readonly tier: Tier;
  /** Settles when all of it is gone; never rejects. */
  readonly gone: Promise<void>;
  isAlive(): boolean;
  /** Hands it its call; at most once. */
  run(input: ScriptInput, bounds: OutputBounds): RunningScript;
  /** Lends the call’s permit to its egress, where it has one. */
  attach(permit: LiveEnds['permit']): void;
  /** Throws HostError when it is gone already. */
  holdRunDirectory(): RunDirectory;
  /** Ends the whole tree and waits until it is gone. */
  kill(): Promise<void>;
}

const NONCE_BYTES = 16;

/** Makes a sandboxed loader a script process: header, arguments and input go in, streams and end marks come out. */
export function createScriptProcess(started: SandboxedProcess, egress?: ProcessEgress): ScriptProcess {
  let isAlive = true;
  const gone = started.exited.then(async () => {
    isAlive = false;
    await egress?.close();
  });
  const kill = async (): Promise<void> => {
    await started.kill();
    await gone;
  };
  return {
    pid: started.pid,
    tier: started.tier,
    gone,
    // A process that was killed a moment ago has not been heard of yet.
    isAlive: () => isAlive && (process.platform !== 'linux' || isProcessAlive(started.pid)),
    attach: (permit) => egress?.attach(permit),
    holdRunDirectory: () => started.holdRunDirectory(),
    kill,
    run: (input, bounds) => runScript(started, input, bounds),
  };
}

function runScript(started: SandboxedProcess, input: ScriptInput, bounds: OutputBounds): RunningScript {
  const nonce = randomBytes(NONCE_BYTES).toString('hex');
  let stoppedBy: StopReason | undefined;
  const stop = (by: StopReason): void => {
    stoppedBy ??= by;
    void started.kill();
  };

  const chunks: Buffer[] = [];
  const stdout = follow(started.stdout, nonce, {
    maxBytes: bounds.outputBytes,
    onOverflow: () => stop('outputBytes'),
    take: (bytes) => chunks.push(bytes),
  });
  const lines = createLineLog({ maxBytes: bounds.logBytes, log: bounds.log });
  const stderr = follow(started.stderr, nonce, {
    maxBytes: bounds.outputBytes,
    onOverflow: () => stop('stderrBytes'),
    take: (bytes) => lines.push(bytes),
  });

  const argument = Buffer.from(input.argument);
  const bytes = Buffer.concat([Buffer.from(`${nonce} ${argument.length}\n`), argument, Buffer.from(input.stdin)]);
  started.stdin.end(bytes);

  const marked = Promise.all([stdout.marked, stderr.marked]).then(([code]): ScriptEnding => ({ kind: 'exited', code }));
  const exited = started.exited.then(readEnding);
  const end = async (): Promise<ScriptRun> => {
    const ending = await Promise.race([marked, exited]);
    stdout.settle();
    stderr.settle();
    lines.end();
    return {
      ending: stoppedBy === undefined ? ending : { kind: 'stopped', by: stoppedBy },
      stdout: Buffer.concat(chunks),
      stderrTail: lines.tail(),
      logBytesDropped: lines.droppedBytes,
      bytesIn: bytes.length,
    };
  };
  return { stop, ended: end() };
}

interface Following {
  readonly maxBytes: number;
  readonly onOverflow: () => void;
  readonly take: (bytes: Buffer) => void;
}

/** Reads one output up to its mark, and lets go of what comes after it. */
function follow(stream: Readable, nonce: string, { maxBytes, onOverflow, take }: Following) {
  const mark: EndMark = createEndMark(nonce);
  let leftBytes = maxBytes;
  let isOver = false;
  let settleMark: (code: number) => void = () => {};
  const marked = new Promise<number>((resolve) => {
    settleMark = resolve;
  });
  const accept = (bytes: Buffer): void => {
    if (isOver || bytes.length === 0) return;
    take(bytes.length > leftBytes ? bytes.subarray(0, leftBytes) : bytes);
    leftBytes -= bytes.length;
    if (leftBytes >= 0) return;
    isOver = true;
    onOverflow();
  };
  stream.on('data', (chunk: Buffer) => {
    if (isOver) return;
    accept(mark.push(chunk));
    if (mark.code !== undefined) settleMark(mark.code);
  });
  return {
    marked,
    /** Nothing more is taken. */
    settle(): void {
      accept(mark.end());
      isOver = true;
    },
  };
}
