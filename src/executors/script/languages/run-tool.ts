import { capture } from '../../sandbox/capture.ts';
import type { Sandbox, SandboxDescription, SandboxMount } from '../../sandbox/sandbox.ts';

/** A program of ours or of a runtime that looks at a plugin’s files without running them. */
export interface Tool {
  readonly command: readonly string[];
  /** Beside the plugin directory. */
  readonly mounts: readonly SandboxMount[];
  /** Absolute and canonical; shown read-only at its own path. */
  readonly pluginDirectory: string;
  readonly maxOutputBytes: number;
}

export type ToolRun =
  | { readonly ok: true; readonly stdout: string; readonly stderr: string }
  /** It did not run to a good end; one sentence says why. */
  | { readonly ok: false; readonly reason: string };

const MIB = 1024 * 1024;
const TIMEOUT_MS = 60_000;
const MEMORY_BYTES = 1024 * MIB;
/** Node.js reserves what it hardly touches, and esbuild is a second process with threads of its own. */
const DATA_BYTES = 3 * 1024 * MIB;
const MAX_ERROR_BYTES = 64 * 1024;
const MAX_SHOWN = 500;

/** Runs a tool in a sandbox that shows it the plugin and nothing else, without network. Throws HostError where nothing can be started. */
export async function runTool(sandbox: Sandbox, tool: Tool): Promise<ToolRun> {
  const started = await sandbox.spawn(describeTool(tool));
  let stopped: string | undefined;
  const stop = (reason: string): void => {
    stopped ??= reason;
    void started.kill();
  };
  const deadline = setTimeout(() => stop(`it did not finish within ${TIMEOUT_MS} ms`), TIMEOUT_MS);
  started.stdin.end();
  const [exit, stdout, stderr] = await Promise.all([
    started.exited,
    capture(started.stdout, { maxBytes: tool.maxOutputBytes, onOverflow: () => stop(`it wrote more than ${tool.maxOutputBytes} bytes`) }),
    capture(started.stderr, { maxBytes: MAX_ERROR_BYTES, onOverflow: () => stop(`it wrote more than ${MAX_ERROR_BYTES} bytes of errors`) }),
  ]);
  clearTimeout(deadline);
  if (stopped !== undefined) return { ok: false, reason: stopped };
  if (exit.cause === 'memory') return { ok: false, reason: `it used more than ${MEMORY_BYTES} bytes of memory` };
  if (exit.code !== 0) {
    const said = oneLine(stderr.text).slice(-MAX_SHOWN);
    return { ok: false, reason: `it ended with ${exit.signal ?? `exit code ${exit.code}`}${said === '' ? '' : `: ${said}`}` };
  }
  return { ok: true, stdout: stdout.text, stderr: stderr.text };
}

function describeTool({ command, mounts, pluginDirectory }: Tool): SandboxDescription {
  const shown = [...mounts, { source: pluginDirectory, target: pluginDirectory, access: 'read' as const }];
  return {
    command,
    // What lies inside of another comes after it.
    mounts: shown.sort((a, b) => a.target.length - b.target.length || (a.target < b.target ? -1 : 1)),
    workingDirectory: '/tmp',
    environment: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/tmp', TMPDIR: '/tmp', LANG: 'C.UTF-8' },
    limits: {
      memoryBytes: MEMORY_BYTES,
      dataBytes: DATA_BYTES,
      processes: 128,
      fileBytes: 64 * MIB,
      descriptors: 256,
      scratchBytes: 64 * MIB,
    },
    lifetimeSeconds: Math.ceil(TIMEOUT_MS / 1000) + 5,
  };
}

/** Text of a plugin in a message of ours: printable, on one line. */
export const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
