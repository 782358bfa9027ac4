import type { ChildProcess, StdioOptions } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

import { execa, type Options } from 'execa';

export interface StartOptions {
  /** All of it; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** In a session and group of its own. */
  readonly detached: boolean;
  readonly stdio: StdioOptions;
  readonly uid?: number;
  readonly gid?: number;
}

/** A process that was started, or why it could not be. */
export type Started =
  | { readonly ok: true; readonly child: ChildProcess & { readonly pid: number } }
  | { readonly ok: false; readonly reason: string };

/**
 * Starts a program without a shell. Its streams are left to the caller: nothing is buffered, awaited or killed here,
 * for whole process trees are the sandbox’s to end.
 */
export async function startProcess(file: string, args: readonly string[], options: StartOptions): Promise<Started> {
  const { stdio, ...rest } = options;
  const child = execa(file, args, {
    ...rest,
    // Execa’s own types of `stdio` are narrower than what it hands on to Node.
    stdio: stdio as Options['stdio'] & 'pipe',
    extendEnv: false,
    buffer: false,
    reject: false,
    cleanup: false,
    windowsHide: true,
  });
  const { pid } = child;
  if (pid === undefined) {
    const { originalMessage, code } = (await child) as { originalMessage?: string; code?: string };
    return { ok: false, reason: originalMessage ?? code ?? 'it did not start' };
  }
  return { ok: true, child: Object.assign(child as unknown as ChildProcess, { pid }) };
}

/** The three standard streams of a process that was started with pipes for them. */
export function standardStreams({ stdin, stdout, stderr }: ChildProcess): {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
} {
  if (!stdin || !stdout || !stderr) throw new TypeError('the process was started without pipes');
  return { stdin, stdout, stderr };
}
