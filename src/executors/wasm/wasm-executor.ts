import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { reasonOf, type CallErrorCode } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { WasmRuntime } from '../../manifest/plugin.ts';
import type { Execution, ExecutionReport, ExecutionResult, Executor, LiveEnds, Tier } from '../executor.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { createAzHost, type AzHost, type AzServices } from './az-host.ts';
import { RESULT, type ResultStatus } from './channel.ts';
import { describeHostProcess } from './host-process.ts';
import type { Host, HostAnswer } from './host.ts';
import { createModuleCache } from './module-cache.ts';
import { createHostPool } from './pool.ts';

export interface WasmExecutorOptions {
  /** The bundled host process, a file of ours. */
  readonly hostScript: string;
  /** For rewritten modules. */
  readonly cacheDirectory: string;
  readonly sandbox: Sandbox;
  readonly services: AzServices;
  readonly log: Log;
  /** Host processes kept ready; by default one per core and a spare. */
  readonly hosts?: number;
}

/** Far above what a second of any machine burns (sandbox.md §A, “Fuel”): the wall clock is the authority, fuel the certainty. */
const FUEL_PER_MS = 3e7;
const MAX_EXTRA_HOSTS = 8;

/** How each status of the host process reads to people; `ok` and `structured` are the two that carry output. */
const FAILURES = {
  [RESULT.refused]: { code: 'EXECUTION_PLUGIN_FAILED', describe: (text) => text },
  [RESULT.trapped]: { code: 'EXECUTION_TRAPPED', describe: (text) => `the plugin trapped: ${text}` },
  [RESULT.malformed]: { code: 'EXECUTION_BAD_OUTPUT', describe: (text) => `the plugin broke its contract: ${text}` },
  [RESULT.tooLarge]: { code: 'EXECUTION_OUTPUT_TOO_LARGE', describe: (text) => `the answer is too large: ${text}` },
  [RESULT.hostCalls]: { code: 'EXECUTION_HOST_CALLS', describe: (text) => `the plugin asks too much of the host: ${text}` },
} as const satisfies Record<
  Exclude<ResultStatus, typeof RESULT.ok | typeof RESULT.structured | typeof RESULT.fuel>,
  { code: CallErrorCode; describe: (text: string) => string }
>;

/**
 * WASM plugins: gated and rewritten once, then a fresh instance for every call in a host process inside the OS sandbox
 * (sandbox.md §E, row a). The deadline is enforced by killing the process.
 */
export function createWasmExecutor(options: WasmExecutorOptions): Executor<WasmRuntime> {
  const modules = createModuleCache(join(options.cacheDirectory, 'wasm'));
  const size = options.hosts ?? availableParallelism() + 1;
  const pool = createHostPool({
    spawn: () => options.sandbox.spawn(describeHostProcess(options.hostScript)),
    size,
    maxSize: size + MAX_EXTRA_HOSTS,
    log: options.log,
  });

  const loadModule = (plugin: Pick<Execution['plugin'], 'directory' | 'files'>, modulePath: string, memoryBytes: number) => {
    try {
      return modules.load({ file: `${plugin.directory}/${modulePath}`, sha256: plugin.files[modulePath] ?? '', memoryBytes });
    } catch (error) {
      return { ok: false as const, problems: [`"${modulePath}" cannot be read: ${reasonOf(error)}`] };
    }
  };

  const callHost = async (
    host: Host,
    { execution, request, live, module }: RunningCall,
  ): Promise<{ answer: HostAnswer; stoppedBy?: StopReason }> => {
    let stoppedBy: StopReason | undefined;
    // Many guests ask for nothing.
    let az: AzHost | undefined;
    const stop = (reason: StopReason): void => {
      stoppedBy ??= reason;
      // Requests and commands that run for a guest end with it.
      az?.stop();
      void host.kill(reason);
    };
    const onAbort = (): void => stop('cancelled');
    live.signal.addEventListener('abort', onAbort, { once: true });
    const deadline = setTimeout(stop, execution.limits.timeoutMs, 'deadline');
    // Between the loan of the host and this moment.
    if (live.signal.aborted) onAbort();
    try {
      const answer = await host.call({
        module,
        fuel: execution.limits.timeoutMs * FUEL_PER_MS,
        hostCalls: execution.limits.hostCalls,
        logBytes: execution.limits.logBytes,
        outputBytes: execution.limits.outputBytes,
        request,
        onLog: (message) => live.log({ level: 'info', message }),
        // Between the decision to stop and the death of the process a guest must not get anything done.
        onHostCall: (index, strings) => {
          if (stoppedBy !== undefined) return { code: -1 };
          az ??= createAzHost({ execution, live, services: options.services });
          return az.answer(index, strings);
        },
      });
      return stoppedBy === undefined ? { answer } : { answer, stoppedBy };
    } finally {
      clearTimeout(deadline);
      live.signal.removeEventListener('abort', onAbort);
      await az?.close();
    }
  };

  const inspect: Executor<WasmRuntime>['inspect'] = ({ directory, files, runtime, limits }) => {
    const loaded = loadModule({ directory, files }, runtime.modulePath, limits.memoryBytes);
    return loaded.ok ? { ok: true, warnings: [] } : loaded;
  };

  return {
    permissions: 'per-use',
    inspect,
    check: (plugin) => Promise.resolve(inspect(plugin)),
    async execute(execution, live) {
      const { runtime, limits } = execution;
      const loaded = loadModule(execution.plugin, runtime.modulePath, limits.memoryBytes);
      if (!loaded.ok) return report('none', { kind: 'failed', code: 'EXECUTION_MODULE_REFUSED', message: loaded.problems.join('; ') });
      let host: Host;
      try {
        host = await pool.acquire(loaded.module.digest, live.signal);
      } catch (error) {
        if (live.signal.aborted) return report('none', { kind: 'cancelled' });
        return report('none', {
          kind: 'failed',
          code: 'EXECUTION_NO_HOST',
          message: `no host process could be started: ${reasonOf(error)}`,
        });
      }
      try {
        // The host’s own keys win over a caller’s of the same name (agentzero.md §4).
        const request = JSON.stringify({ ...execution.arguments, action: execution.command, root: execution.paths.root });
        const { answer, stoppedBy } = await callHost(host, { execution, request, live, module: loaded.module });
        return describeAnswer(host.tier, answer, { stoppedBy, timeoutMs: limits.timeoutMs, bytesIn: Buffer.byteLength(request) });
      } finally {
        pool.release(host);
      }
    },
    warm: () => pool.warm(),
    tier: () => options.sandbox.tier(),
    close: () => pool.close(),
  };
}

type StopReason = 'deadline' | 'cancelled';
interface RunningCall {
  readonly execution: Execution;
  /** UTF-8 JSON, as the guest gets it. */
  readonly request: string;
  readonly live: LiveEnds;
  readonly module: Parameters<Host['call']>[0]['module'];
}

interface AnsweredCall {
  readonly stoppedBy: StopReason | undefined;
  readonly timeoutMs: number;
  readonly bytesIn: number;
}

function describeAnswer(tier: Tier, answer: HostAnswer, { stoppedBy, timeoutMs, bytesIn }: AnsweredCall): ExecutionReport {
  const usage =
    answer.kind === 'died'
      ? { bytesIn, hostCalls: answer.hostCalls }
      : {
          bytesIn,
          bytesOut: Buffer.byteLength(answer.text),
          hostCalls: answer.hostCalls,
          fuel: answer.fuelUsed,
          logBytesDropped: answer.logBytesDropped,
        };
  // An answer that came after the decision to stop may rest on host calls that were refused for it.
  if (stoppedBy === 'cancelled') return report(tier, { kind: 'cancelled' }, usage);
  if (stoppedBy === 'deadline') {
    const message = `the plugin did not answer within ${timeoutMs} ms and was killed`;
    return report(tier, { kind: 'timed-out', limit: 'timeoutMs', message }, usage);
  }
  if (answer.kind === 'died')
    return report(tier, { kind: 'failed', code: 'EXECUTION_DIED', message: `the plugin’s process died: ${answer.reason}` }, usage);
  if (answer.status === RESULT.ok) return report(tier, { kind: 'ok', output: { text: answer.text } }, usage);
  if (answer.status === RESULT.structured)
    return report(tier, { kind: 'ok', output: { text: answer.text, structured: answer.structured ?? {} } }, usage);
  if (answer.status === RESULT.fuel)
    return report(tier, { kind: 'timed-out', limit: 'fuel', message: `the plugin was stopped: ${answer.text}` }, usage);
  const failure = FAILURES[answer.status];
  return report(tier, { kind: 'failed', code: failure.code, message: failure.describe(answer.text) }, usage);
}

const report = (tier: Tier, result: ExecutionResult, usage: Partial<ExecutionReport['usage']> = {}): ExecutionReport => ({
  result,
  usage: {
    tier,
    bytesIn: usage.bytesIn ?? 0,
    bytesOut: usage.bytesOut ?? 0,
    hostCalls: usage.hostCalls ?? 0,
    ...(usage.fuel === undefined ? {} : { fuel: usage.fuel }),
    logBytesDropped: usage.logBytesDropped ?? 0,
  },
});
