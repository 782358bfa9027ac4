import type { Readable } from 'node:stream';

/** What bubblewrap has told through its `--json-status-fd` so far. */
export interface BubblewrapStatus {
  /** The first process of the sandbox’s process namespace, as the host counts, once known. */
  readonly innerPid: number | undefined;
  /** How the command has ended, once it has; bubblewrap turns a signal into 128 + signal. */
  readonly exitCode: number | undefined;
  /** Settles with `innerPid` once that is known; with undefined when bubblewrap ended before. */
  readonly started: Promise<number | undefined>;
  /** Settles when nobody is left who could tell more. */
  readonly closed: Promise<void>;
}

const MAX_STATUS_BYTES = 4096;

/** Follows bubblewrap’s `--json-status-fd`: the first process inside, and that the command has run to an end. */
export function followStatus(pipe: Readable): BubblewrapStatus {
  let text = '';
  let settle: (pid: number | undefined) => void = () => {};
  const status = {
    innerPid: undefined as number | undefined,
    exitCode: undefined as number | undefined,
    started: new Promise<number | undefined>((resolve) => {
      settle = resolve;
    }),
    closed: new Promise<void>((resolve) => pipe.once('close', () => resolve())),
  };
  pipe.setEncoding('utf8');
  pipe.on('data', (chunk: string) => {
    if (text.length < MAX_STATUS_BYTES) text += chunk;
    const inner = /"child-pid": ?(\d+)/.exec(text)?.[1];
    if (inner !== undefined) {
      status.innerPid = Number(inner);
      settle(status.innerPid);
    }
    const code = /"exit-code": ?(\d+)/.exec(text)?.[1];
    if (code !== undefined) status.exitCode = Number(code);
  });
  pipe.on('error', () => settle(undefined));
  pipe.on('close', () => settle(undefined));
  return status;
}
