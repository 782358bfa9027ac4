import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import type { Language, ScriptRuntime, ScriptValue } from '../../manifest/plugin.ts';
import type { Execution } from '../executor.ts';
import { layerMounts } from '../sandbox/granted-mounts.ts';
import type { SandboxDescription, SandboxMount } from '../sandbox/sandbox.ts';
import { LANGUAGE_TABLE, toLoaderCommand } from './languages/languages.ts';

/** Where a script finds its run directory. */
export const RUN_DIRECTORY = '/run/plugbridge-call';

const MIB = 1024 * 1024;
/** What the files of one call may have together. */
const MAX_RUN_BYTES = 256 * MIB;
const PROCESSES = 64;
/** The threads of the relay, which is a Node.js process. */
const RELAY_PROCESSES = 16;
const RELAY_PORT = 3128;
const SCRATCH_BYTES = 64 * MIB;

export interface ProcessParts {
  /** The interpreter, absolute. */
  readonly program: string;
  /** The script, absolute as it is inside. */
  readonly mainFile: string;
  /** What the permissions show of the host’s files; parents first. */
  readonly granted: readonly SandboxMount[];
  /** What the interpreter needs beyond that. */
  readonly mounts: readonly SandboxMount[];
  /** Where our loaders lie, absolute. */
  readonly loadersDirectory: string;
}

/**
 * The sandbox of one call, complete but for its lifetime and its way to the network. Equal executions give equal text, so
 * that an interpreter started ahead can be used for exactly the sandbox that the call would get. Pure.
 */
export function describeProcess(execution: Execution<ScriptRuntime>, parts: ProcessParts): SandboxDescription {
  const { runtime, limits, paths } = execution;
  const { language } = runtime;
  const { command, environment } = toLoaderCommand({ ...parts, language, pluginDirectory: paths.plugin });
  return {
    command,
    // Ours come over what was granted: no grant makes a loader or an interpreter writable.
    mounts: layerMounts({
      granted: parts.granted,
      own: [...parts.mounts, readOnly(join(parts.loadersDirectory, LANGUAGE_TABLE[language].loader))],
    }),
    workingDirectory: RUN_DIRECTORY,
    runDirectory: { path: RUN_DIRECTORY, maxBytes: Math.min(MAX_RUN_BYTES, Math.ceil(limits.memoryBytes / 2)) },
    environment: {
      LANG: 'C.UTF-8',
      ...execution.environment,
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: '/tmp',
      TMPDIR: '/tmp',
      ...toVariables(execution),
      // Last, for what the loader rests on is neither for manifests nor for grants to name.
      ...environment,
    },
    limits: {
      memoryBytes: limits.memoryBytes,
      dataBytes: toDataBytes(language, limits.memoryBytes),
      processes: PROCESSES,
      fileBytes: 64 * MIB,
      descriptors: 256,
      // Processor time adds up over the threads of a process.
      cpuSeconds: Math.ceil(limits.timeoutMs / 1000) * availableParallelism() + 1,
      scratchBytes: SCRATCH_BYTES,
    },
  };
}

const toDataBytes = (language: Language, memoryBytes: number): number => memoryBytes + LANGUAGE_TABLE[language].dataHeadroomBytes;

const readOnly = (path: string): SandboxMount => ({ source: path, target: path, access: 'read' });

function toVariables({ plugin, command, paths, runtime }: Execution<ScriptRuntime>): Record<string, string> {
  const values: Readonly<Record<ScriptValue, string>> = {
    'plugin-name': plugin.name,
    'plugin-directory': paths.plugin,
    'run-directory': RUN_DIRECTORY,
    'data-directory': paths.data,
    'root-directory': paths.root,
    command,
  };
  return Object.fromEntries(Object.entries(runtime.variables).map(([name, value]) => [name, values[value]]));
}

export interface RelayParts {
  readonly language: Language;
  /** Node.js, absolute, and what it needs to be seen. */
  readonly program: string;
  readonly mounts: readonly SandboxMount[];
  readonly loadersDirectory: string;
  /** The socket of this process’s own proxy. */
  readonly socketFile: string;
}

/**
 * Puts the relay before the command: a process inside that carries connections to `127.0.0.1` to the proxy’s socket
 * (sandbox.md §B, “Filtered egress”). Programs that ignore the proxy variables reach nothing. Pure.
 */
export function routeThroughRelay(description: SandboxDescription, parts: RelayParts): SandboxDescription {
  const { limits, environment, command, mounts } = description;
  const relayFile = join(parts.loadersDirectory, 'relay.cjs');
  const dataBytes = toDataBytes(parts.language, limits.memoryBytes ?? 0);
  const address = `http://127.0.0.1:${RELAY_PORT}`;
  return {
    ...description,
    command: [parts.program, relayFile, parts.socketFile, String(RELAY_PORT), String(dataBytes), '--', ...command],
    mounts: layerMounts({ granted: mounts, own: [...parts.mounts, readOnly(relayFile), readOnly(parts.socketFile)] }),
    environment: {
      ...environment,
      http_proxy: address,
      https_proxy: address,
      HTTP_PROXY: address,
      HTTPS_PROXY: address,
      NO_PROXY: '',
      no_proxy: '',
      // Node.js 24 and later follow the variables only when asked to.
      NODE_USE_ENV_PROXY: '1',
    },
    limits: {
      ...limits,
      // The relay sets the script’s own limit again.
      dataBytes: Math.max(dataBytes, toDataBytes('node', limits.memoryBytes ?? 0)),
      processes: PROCESSES + RELAY_PROCESSES,
    },
  };
}
