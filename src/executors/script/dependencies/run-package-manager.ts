import type { Readable } from 'node:stream';

import type { Sandbox, SandboxDescription } from '../../sandbox/sandbox.ts';

/** How a package manager ended. */
export type ToolEnd =
  | { readonly kind: 'exited'; readonly code: number | null; readonly tail: string }
  | { readonly kind: 'stopped'; readonly by: ToolStop; readonly tail: string };
export type ToolStop = 'deadline' | 'cancelled' | 'size' | 'memory';

export interface ToolRun {
  readonly sandbox: Sandbox;
  readonly description: SandboxDescription;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** What it says, line by line, bounded in number and length. */
  readonly onLine: (line: string) => void;
  /** Watches what it writes while it runs and calls back once when that is too much; returns how to end that. */
  readonly watchSize: (onOverflow: () => void) => () => void;
}

const MAX_LINES = 5_000;
const MAX_LINE_CHARS = 400;
const TAIL_CHARS = 64 * 1024;

/** Runs a package manager to its end, or kills the whole tree. Throws HostError when it cannot be started. */
export async function runPackageManager({ sandbox, description, signal, timeoutMs, onLine, watchSize }: ToolRun): Promise<ToolEnd> {
  const started = await sandbox.spawn(description);
  let stopped: ToolStop | undefined;
  const stop = (by: ToolStop) => (): void => {
    stopped ??= by;
    void started.kill();
  };
  const cancel = stop('cancelled');
  const deadline = setTimeout(stop('deadline'), timeoutMs);
  const unwatch = watchSize(stop('size'));
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  started.stdin.end();
  const said = createTail(onLine);
  follow(started.stdout, said);
  follow(started.stderr, said);
  try {
    const exit = await started.exited;
    const by = stopped ?? (exit.cause === 'memory' ? 'memory' : undefined);
    return by === undefined ? { kind: 'exited', code: exit.code, tail: said.tail() } : { kind: 'stopped', by, tail: said.tail() };
  } finally {
    clearTimeout(deadline);
    unwatch();
    signal.removeEventListener('abort', cancel);
  }
}

interface Said {
  line(text: string): void;
  tail(): string;
}

function createTail(onLine: (line: string) => void): Said {
  let tail = '';
  let count = 0;
  return {
    line(text) {
      tail = `${tail}${text}\n`.slice(-TAIL_CHARS);
      count += 1;
      if (count <= MAX_LINES && text.trim() !== '') onLine(text);
    },
    tail: () => tail,
  };
}

/** Lines of a stream; longer ones are cut, so that one without an end takes no memory. */
function follow(stream: Readable, said: Said): void {
  const decoder = new TextDecoder();
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n|\r/);
    rest = (lines.pop() ?? '').slice(0, MAX_LINE_CHARS);
    for (const line of lines) said.line(line.slice(0, MAX_LINE_CHARS));
  });
  stream.once('close', () => {
    if (rest !== '') said.line(rest);
  });
  stream.once('error', () => undefined);
}
