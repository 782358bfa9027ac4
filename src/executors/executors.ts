import type { RuntimeKind } from '../manifest/plugin.ts';
import type { Executor } from './executor.ts';
import { createScriptExecutor, type ScriptExecutorOptions } from './script/script-executor.ts';
import { createWasmExecutor, type WasmExecutorOptions } from './wasm/wasm-executor.ts';

/** What the kinds of executors are made from; each takes what it needs. */
export type ExecutorOptions = WasmExecutorOptions & ScriptExecutorOptions;

/** The kinds of runtimes, each with what makes its executor. */
export const EXECUTORS = {
  wasm: createWasmExecutor,
  script: createScriptExecutor,
} as const satisfies Record<RuntimeKind, (options: ExecutorOptions) => Executor>;

/** One executor of every kind; nothing is started before it is needed. */
export function createExecutors(options: ExecutorOptions): Readonly<Record<RuntimeKind, Executor>> {
  return { wasm: EXECUTORS.wasm(options), script: EXECUTORS.script(options) };
}
