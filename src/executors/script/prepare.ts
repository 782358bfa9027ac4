import { reasonOf, type CallErrorCode } from '../../errors.ts';
import type { ScriptRuntime } from '../../manifest/plugin.ts';
import type { Execution, Tier } from '../executor.ts';
import { makeDataDirectory, measureDirectory } from '../sandbox/data-quota.ts';
import { toGrantedMounts, type Hiding } from '../sandbox/granted-mounts.ts';
import type { Sandbox, SandboxDescription, SandboxMount } from '../sandbox/sandbox.ts';
import { describeProcess } from './describe-process.ts';
import type { Interpreters } from './languages/interpreters.ts';
import type { Launch } from './launch-script.ts';
import type { PoolPlace } from './pool.ts';
import type { UnchangedFiles } from './unchanged-files.ts';

/** Where the script that the interpreter is given lies inside, and what shows it there. */
export type PreparedMain =
  | { readonly ok: true; readonly mainFile: string; readonly mounts: readonly SandboxMount[] }
  | { readonly ok: false; readonly problems: readonly string[] };

export interface PreparationOptions {
  readonly sandbox: Sandbox;
  readonly interpreters: Interpreters;
  readonly unchanged: UnchangedFiles;
  readonly onFilesChanged: () => void;
  readonly hiding: Hiding;
  readonly loadersDirectory: string;
  /** Of every data directory. */
  readonly dataBytes: number;
  prepareMain(execution: Execution<ScriptRuntime>): Promise<PreparedMain>;
}

/** All that a call needs, found before anything of the plugin runs. */
export interface PreparedScript {
  readonly ok: true;
  readonly timeoutMs: number;
  readonly description: SandboxDescription;
  /** Where its permissions name hosts: what its way to them runs on. */
  readonly relay?: NonNullable<Launch['relay']>;
  /** Absent where interpreters are not started ahead. */
  readonly place?: PoolPlace;
  /** What every result of it has to say. */
  readonly warnings: readonly string[];
  /** Where it may write to what is the person’s: what it left there under names that should have been hidden or kept. */
  readonly findNewNames?: () => Promise<readonly string[]>;
}
export interface RefusedScript {
  readonly ok: false;
  readonly code: CallErrorCode;
  readonly message: string;
}

/** More entries than that are as good as too many bytes. */
export const MAX_DATA_ENTRIES = 100_000;

/**
 * Checks what must hold before a call of this tier, and describes its sandbox. What is wrong is named in one sentence.
 * Throws HostError where nothing can be started.
 */
export async function prepareScript(
  execution: Execution<ScriptRuntime>,
  tier: Tier,
  options: PreparationOptions,
): Promise<PreparedScript | RefusedScript> {
  const { plugin, runtime, paths, permissions } = execution;
  const isIsolated = isIsolating(tier);
  const refuse = (code: CallErrorCode, message: string): RefusedScript => ({ ok: false, code, message });

  if (tier === 'none') return refuse('EXECUTION_NOT_ISOLATED', await describeMissing(options.sandbox, plugin.name));
  const interpreter = options.interpreters.find(runtime.language);
  if (!interpreter.ok) return refuse('EXECUTION_INTERPRETER_MISSING', interpreter.reason);
  const fingerprint = options.unchanged.check(plugin);
  if (fingerprint === undefined) {
    options.onFilesChanged();
    return refuse('EXECUTION_MODULE_REFUSED', 'its files changed since they were read; call again');
  }
  const main = await options.prepareMain(execution);
  if (!main.ok) return refuse('EXECUTION_MODULE_REFUSED', main.problems.join('; '));
  const dataProblem = await checkData(paths.data, options.dataBytes);
  if (dataProblem !== undefined) return refuse('EXECUTION_MODULE_REFUSED', dataProblem);
  const granted = await toGrantedMounts({ permissions, paths, hiding: options.hiding });
  if (!granted.ok) return refuse('EXECUTION_MODULE_REFUSED', granted.reason);

  const description = describeProcess(execution, {
    program: interpreter.program,
    mainFile: main.mainFile,
    granted: granted.mounts,
    mounts: [...interpreter.mounts, ...main.mounts],
    loadersDirectory: options.loadersDirectory,
  });
  const network = isIsolated ? findRelay(execution, tier, options.interpreters) : {};
  if ('reason' in network) return refuse('EXECUTION_INTERPRETER_MISSING', network.reason);
  const shared = {
    ok: true,
    timeoutMs: execution.limits.timeoutMs,
    description,
    ...(permissions.some(writesOutside) ? { findNewNames: () => findNewNames(execution, granted.mounts, options.hiding) } : {}),
  } as const;
  if (!isIsolated) return { ...shared, warnings: [UNISOLATED] };
  return {
    ...shared,
    ...(network.relay ? { relay: network.relay } : {}),
    ...(execution.isLast
      ? {}
      : {
          place: {
            key: JSON.stringify([description, network.relay !== undefined, plugin.digest, fingerprint]),
            plugin: plugin.directory,
            digest: plugin.digest,
            command: execution.command,
          },
        }),
    warnings: network.warning === undefined ? [] : [network.warning],
  };
}

/** `$DATA` and `$RUN` are the plugin’s own. */
const writesOutside = (capability: string): boolean => /^write:fs:(?!\$(?:DATA|RUN)(?:\/|$))/.test(capability);

/** Mounts cannot hide what is not there yet, so what has a sensitive name after a call and had none before is told. */
async function findNewNames(
  { permissions, paths }: Execution<ScriptRuntime>,
  before: readonly SandboxMount[],
  hiding: Hiding,
): Promise<readonly string[]> {
  const known = new Set(before.filter(({ access }) => access !== 'write').map(({ target }) => target));
  const after = await toGrantedMounts({ permissions, paths, hiding });
  if (!after.ok) return [`its files cannot be looked through any more: ${after.reason}`];
  return after.mounts
    .filter(({ target, access }) => access !== 'write' && !known.has(target))
    .slice(0, MAX_NEW_NAMES)
    .map(({ target }) => `"${target}" is new, and other programs may read or run what has such a name: look at it first`);
}
const MAX_NEW_NAMES = 20;

const UNISOLATED = 'it ran without isolation, with all rights of the person who runs plugbridge, because scripts.unisolated names it';
const NO_NETWORK = 'it could reach no host: only on Linux is there a way out of the sandbox that is its own';

interface Network {
  readonly relay?: NonNullable<Launch['relay']>;
  readonly warning?: string;
}

/** The relay to granted hosts. It listens on an address that is private only where the sandbox has a network of its own. */
function findRelay(
  { permissions, runtime }: Execution<ScriptRuntime>,
  tier: Tier,
  interpreters: Interpreters,
): Network | { reason: string } {
  if (!permissions.some((capability) => capability.startsWith('net:') && capability !== 'net:[]')) return {};
  if (!tier.startsWith('bwrap')) return { warning: NO_NETWORK };
  const node = interpreters.find('node');
  return node.ok ? { relay: { language: runtime.language, node } } : node;
}

/** Whether scripts are contained by more than their own good will. */
export const isIsolating = (tier: Tier): boolean => tier !== 'none' && tier !== 'process';

async function describeMissing(sandbox: Sandbox, name: string): Promise<string> {
  const missing = (await sandbox.findings()).filter(({ state }) => state === 'missing').map(({ detail }) => detail);
  const why = missing.length === 0 ? '' : `: ${missing.join('; ')}`;
  return (
    `nothing on this machine isolates processes${why}; install what is missing, see plugbridge doctor, ` +
    `or put "${name}" into scripts.unisolated of the configuration to let it run with all your rights`
  );
}

/** Makes the data directory on first use, and refuses one that is over its quota. */
async function checkData(directory: string, maxBytes: number): Promise<string | undefined> {
  try {
    await makeDataDirectory(directory);
    const size = await measureDirectory(directory, { maxEntries: MAX_DATA_ENTRIES, maxBytes });
    if (!size.isOver) return undefined;
    return `its data directory "${directory}" holds more than ${maxBytes} bytes or ${MAX_DATA_ENTRIES} entries; remove some or raise scripts.data_mb`;
  } catch (error) {
    return `its data directory "${directory}" cannot be used: ${reasonOf(error)}`;
  }
}
