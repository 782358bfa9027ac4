import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';

import { pino } from 'pino';
import { onTestFinished } from 'vitest';

import { createSandbox, type SandboxOptions } from '../../src/executors/sandbox/create-sandbox.ts';
import type { Sandbox, SandboxDescription, SandboxedProcess } from '../../src/executors/sandbox/sandbox.ts';

/** Without it the tests of the sandbox are skipped, and say so. */
export const HAS_BUBBLEWRAP = process.platform === 'linux' && existsSync('/usr/bin/bwrap');
if (!HAS_BUBBLEWRAP) process.stderr.write('\n!!! bubblewrap is missing: THE SANDBOX IS NOT TESTED on this machine\n\n');

/** A sandbox that is closed with the test. */
export function useSandbox(options: Partial<SandboxOptions> = {}): Sandbox {
  const sandbox = createSandbox({ log: pino({ level: 'silent' }), unboxed: 'never', ...options });
  onTestFinished(() => sandbox.close());
  return sandbox;
}

/** A description with small limits; what a test is about is put over it. */
export const describeSandbox = (
  command: readonly string[],
  over: Partial<Omit<SandboxDescription, 'command'>> = {},
): SandboxDescription => ({
  command,
  mounts: [],
  workingDirectory: '/tmp',
  environment: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
  limits: { processes: 32, memoryBytes: 256 * 1024 * 1024, descriptors: 64, scratchBytes: 4 * 1024 * 1024 },
  lifetimeSeconds: 30,
  ...over,
});

/** Runs to the end and collects what it says. */
export async function collect(started: SandboxedProcess, input = '') {
  started.stdin.end(input);
  const [stdout, stderr, exit] = await Promise.all([text(started.stdout), text(started.stderr), started.exited]);
  return { stdout, stderr, exit };
}

/** A constant script of bash in the sandbox. */
export async function runBash(sandbox: Sandbox, script: string, over: Partial<Omit<SandboxDescription, 'command'>> = {}) {
  return collect(await sandbox.spawn(describeSandbox(['/usr/bin/bash', '-c', script], over)));
}

/** The same for Python, without its site packages. */
export async function runPython(sandbox: Sandbox, script: string, over: Partial<Omit<SandboxDescription, 'command'>> = {}) {
  return collect(await sandbox.spawn(describeSandbox(['/usr/bin/python3', '-I', '-S', '-c', script], over)));
}
