import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { HostError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { ScriptRuntime } from '../../manifest/plugin.ts';
import type { Execution, ExecutionReport, Executor, Tier, TierSubject } from '../executor.ts';
import type { Hiding } from '../sandbox/granted-mounts.ts';
import type { RunDirectory, Sandbox } from '../sandbox/sandbox.ts';
import { toScriptInput } from './input.ts';
import { checkScript, inspectScript } from './inspect.ts';
import type { Interpreters } from './languages/interpreters.ts';
import { launchScript, type SocketEgress } from './launch-script.ts';
import { createPool } from './pool.ts';
import { isIsolating, prepareScript, type PreparedMain, type PreparedScript } from './prepare.ts';
import { tryMeasureMemory } from './process-memory.ts';
import { addWarnings, reportEarly } from './report.ts';
import { runScript, type Obtained, type ScriptCall } from './run-script.ts';
import type { ScriptProcess } from './script-process.ts';
import { createTypeScript } from './languages/typescript.ts';
import { createUnchangedFiles } from './unchanged-files.ts';

/** `scripts` of the configuration, in our units. */
export interface ScriptSettings {
  /** Interpreters that wait for the next call, over all plugins. */
  readonly prestarted: number;
  readonly prestartedBytes: number;
  readonly prestartedIdleMs: number;
  /** Of every data directory. */
  readonly dataBytes: number;
  /** Names of plugins that may run where nothing isolates. */
  readonly unisolated: readonly string[];
}

export interface ScriptExecutorOptions {
  readonly sandbox: Sandbox;
  readonly interpreters: Interpreters;
  /** Our loaders, absolute and canonical. */
  readonly loadersDirectory: string;
  readonly cacheDirectory: string;
  readonly hiding: Hiding;
  /** A proxy on a socket of its own, which refuses everything until it is lent a permit. */
  readonly createSocketEgress: () => Promise<SocketEgress>;
  readonly settings: ScriptSettings;
  /** A call was refused because the plugin’s files are others than those that were read, wherever they changed. */
  readonly onFilesChanged: () => void;
  readonly log: Log;
  readonly clock: () => number;
}

/** What a waiting interpreter takes where the system does not tell. */
const ASSUMED_BYTES = 32 * 1024 * 1024;
/** What a process may live beyond its call’s deadline, in case that the server does not end it. */
const GRACE_SECONDS = 5;

/**
 * Script plugins: an interpreter process for every call, in an OS sandbox of its own (sandbox.md §E, row b), started ahead
 * of the call where there was one before. Without a sandbox only plugins run that a person has named.
 */
export function createScriptExecutor(options: ScriptExecutorOptions): Executor<ScriptRuntime> {
  const { sandbox, interpreters, settings, loadersDirectory } = options;
  const unisolated = new Set(settings.unisolated);
  const typescript = createTypeScript(options);
  const tierOf = async (subject?: TierSubject): Promise<Tier> => {
    const tier = await sandbox.tier();
    return isIsolating(tier) || (subject && unisolated.has(subject.name)) ? tier : 'none';
  };
  const pool = createPool<ScriptProcess>({
    maxSpares: settings.prestarted,
    maxBytes: settings.prestartedBytes,
    idleMs: settings.prestartedIdleMs,
    maxRunning: availableParallelism(),
    measure: ({ pid }) => tryMeasureMemory(pid) ?? ASSUMED_BYTES,
    clock: options.clock,
    log: options.log,
  });
  const running = new Set<ScriptProcess>();
  const kills = new Set<Promise<void>>();
  const endInBackground = (script: ScriptProcess): void => {
    const killed = script.kill().finally(() => kills.delete(killed));
    kills.add(killed);
  };

  const prepareMain = ({ plugin, runtime }: Execution<ScriptRuntime>): Promise<PreparedMain> =>
    runtime.language === 'typescript'
      ? typescript.prepare({ ...plugin, main: runtime.main })
      : Promise.resolve({ ok: true, mainFile: join(plugin.directory, runtime.main), mounts: [] });
  const preparation = {
    sandbox,
    interpreters,
    unchanged: createUnchangedFiles(),
    onFilesChanged: options.onFilesChanged,
    hiding: options.hiding,
    loadersDirectory,
    dataBytes: settings.dataBytes,
    prepareMain,
  };

  const launch = ({ description, relay, timeoutMs }: PreparedScript, waitMs: number): Promise<ScriptProcess> =>
    launchScript(
      { description, lifetimeSeconds: Math.ceil((timeoutMs + waitMs) / 1000) + GRACE_SECONDS, ...(relay ? { relay } : {}) },
      { sandbox, loadersDirectory, createEgress: options.createSocketEgress },
    );

  /** The waiting process, or a new one where there is none or it has just died. */
  const obtain = async (prepared: PreparedScript, spare: ScriptProcess | undefined): Promise<Obtained> => {
    const directory = spare && tryHold(spare);
    if (spare && directory) return { script: spare, directory };
    if (spare) endInBackground(spare);
    const script = await launch(prepared, 0);
    return { script, directory: tryHold(script) };
  };

  const run = async (prepared: PreparedScript, call: ScriptCall): Promise<ExecutionReport> => {
    const { place } = prepared;
    const spare = place && pool.enter(place);
    try {
      const obtained = await obtain(prepared, spare);
      running.add(obtained.script);
      try {
        const report = await runScript(call, obtained);
        // What is looked at must not change any more.
        if (prepared.findNewNames) await obtained.script.kill();
        return report;
      } finally {
        running.delete(obtained.script);
        obtained.directory?.close();
        endInBackground(obtained.script);
      }
    } finally {
      if (place) pool.leave(place, () => launch(prepared, settings.prestartedIdleMs));
    }
  };

  return {
    permissions: 'ahead',
    inspect: (plugin) => inspectScript(plugin, interpreters),
    check: (plugin) => checkScript(plugin, { ...options, typescript }),
    async execute(execution, live) {
      const startedMs = performance.now();
      const tier = await tierOf(execution.plugin);
      const reading = toScriptInput(execution.runtime.input, execution.arguments);
      if (!reading.ok) return reportEarly(tier, { kind: 'failed', code: 'DISPATCH_ARGUMENTS_INVALID', message: reading.reason });
      try {
        const prepared = await prepareScript(execution, tier, preparation);
        if (!prepared.ok) return reportEarly(tier, { kind: 'failed', code: prepared.code, message: prepared.message });
        if (live.signal.aborted) return reportEarly(tier, { kind: 'cancelled' });
        const { input } = reading;
        const report = await run(prepared, { execution, input, live, startedMs, dataBytes: settings.dataBytes });
        const unenforced = (await sandbox.findings()).filter(({ state }) => state !== 'enforced').map(({ capability }) => capability);
        const warnings = [...prepared.warnings, ...((await prepared.findNewNames?.()) ?? [])];
        return { result: addWarnings(report.result, warnings), usage: { ...report.usage, unenforced } };
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        return reportEarly(tier, { kind: 'failed', code: 'EXECUTION_NO_HOST', message: `no process could be started: ${error.message}` });
      }
    },
    warm: () => {},
    tier: tierOf,
    async close() {
      running.forEach(endInBackground);
      await pool.close();
      await Promise.all(kills);
    },
  };
}

function tryHold(script: ScriptProcess): RunDirectory | undefined {
  try {
    return script.holdRunDirectory();
  } catch {
    return undefined;
  }
}
