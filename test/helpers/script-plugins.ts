import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { pino } from 'pino';
import { onTestFinished } from 'vitest';

import { createEgressProxy } from '../../src/executors/egress/proxy.ts';
import type { Execution, ExecutionReport, Executor, LiveEnds, LogLine, Permit, ProducedFile } from '../../src/executors/executor.ts';
import type { SandboxOptions } from '../../src/executors/sandbox/create-sandbox.ts';
import type { SandboxDescription, SandboxedProcess } from '../../src/executors/sandbox/sandbox.ts';
import { createInterpreters } from '../../src/executors/script/languages/interpreters.ts';
import { createScriptExecutor, type ScriptExecutorOptions, type ScriptSettings } from '../../src/executors/script/script-executor.ts';
import { readFileTree } from '../../src/manifest/file-tree.ts';
import { SCRIPT_LIMITS, type Language, type Limits, type Plugin, type ScriptRuntime } from '../../src/manifest/plugin.ts';
import { findSensitiveName } from '../../src/policy/sensitive-names.ts';
import { writeFiles } from '../fixtures/manifests/write-plugin.ts';
import { useSandbox } from './sandbox.ts';
import { useTmp } from './tmp.ts';

export const LOADERS = new URL('../../src/executors/script/loaders', import.meta.url).pathname;

const PROGRAMS = { python: 'python3', node: 'node', typescript: 'node', bash: 'bash', ruby: 'ruby' } as const;
/** Tests of a language whose interpreter is missing are skipped, and say so. */
export const hasInterpreter = (language: Language): boolean =>
  PROGRAMS[language] === 'node' ||
  ['/usr/bin', '/bin', '/usr/local/bin'].some((directory) => existsSync(join(directory, PROGRAMS[language])));
for (const language of ['python', 'bash', 'ruby'] as const)
  if (!hasInterpreter(language))
    process.stderr.write(`\n!!! ${PROGRAMS[language]} is missing: ITS SCRIPTS ARE NOT TESTED on this machine\n\n`);

export type ScriptPlugin = Plugin & { readonly runtime: ScriptRuntime };

export interface RunningScriptExecutor {
  readonly executor: Executor<ScriptRuntime>;
  /** Every process that was started, dead ones and spares too, with what it was started from. */
  readonly started: { readonly process: SandboxedProcess; readonly description: SandboxDescription }[];
}

export interface ScriptExecutorSetting extends Partial<ScriptSettings> {
  readonly sandbox?: Partial<SandboxOptions>;
  readonly over?: Partial<ScriptExecutorOptions>;
}

/** The real executor on the real sandbox; both are closed when the test ends. Nothing is started ahead unless asked for. */
export function useScriptExecutor({ sandbox: options, over, ...settings }: ScriptExecutorSetting = {}): RunningScriptExecutor {
  const sandbox = useSandbox(options);
  const started: RunningScriptExecutor['started'] = [];
  const executor = createScriptExecutor({
    sandbox: {
      ...sandbox,
      async spawn(description) {
        const process = await sandbox.spawn(description);
        started.push({ process, description });
        return process;
      },
    },
    interpreters: createInterpreters({ configured: {} }),
    loadersDirectory: LOADERS,
    cacheDirectory: useTmp(),
    hiding: { isHidden: (segments, access) => findSensitiveName(segments, access) !== undefined, protectedDirectories: [] },
    createSocketEgress: () => createEgressProxy(),
    settings: {
      prestarted: 0,
      prestartedBytes: 256 * 1024 * 1024,
      prestartedIdleMs: 60_000,
      dataBytes: 16 * 1024 * 1024,
      unisolated: [],
      ...settings,
    },
    onFilesChanged: () => undefined,
    log: pino({ level: 'silent' }),
    clock: Date.now,
    ...over,
  });
  onTestFinished(() => executor.close());
  return { executor, started };
}

const MAIN: Readonly<Record<Language, string>> = {
  python: 'main.py',
  node: 'main.js',
  typescript: 'main.ts',
  bash: 'main.sh',
  ruby: 'main.rb',
};

/** A plugin in a directory of its own with this script as its main file. */
export function writeScript(
  language: Language,
  source: string,
  { files = {}, ...runtime }: Partial<ScriptRuntime> & { files?: Readonly<Record<string, string>> } = {},
): ScriptPlugin {
  const main = runtime.main ?? MAIN[language];
  const directory = writeFiles(join(useTmp(), 'plugin'), { ...files, [main]: source });
  const tree = readFileTree(directory);
  if (!tree.ok) throw new Error(tree.reason);
  return {
    id: 'scripted',
    system: 'test',
    name: 'scripted',
    version: '1.0.0',
    description: 'A script',
    directory,
    manifestFile: main,
    files: tree.files,
    digest: tree.digest,
    runtime: {
      kind: 'script',
      language,
      main,
      input: 'stdin',
      variables: {
        TEST_NAME: 'plugin-name',
        TEST_PLUGIN: 'plugin-directory',
        TEST_RUN: 'run-directory',
        TEST_DATA: 'data-directory',
        TEST_COMMAND: 'command',
      },
      dependencies: [],
      ...runtime,
    },
    requests: [],
    commands: [],
    tags: [],
    keywords: [],
    enabled: true,
    limits: { ...SCRIPT_LIMITS, timeoutMs: 20_000 },
    warnings: [],
  };
}

export interface ScriptCallOptions {
  readonly args?: Readonly<Record<string, unknown>>;
  readonly command?: string;
  readonly limits?: Partial<Limits>;
  readonly root?: string;
  readonly data?: string;
  readonly permissions?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Refuses everything when absent. */
  readonly permit?: LiveEnds['permit'];
  readonly onLog?: (line: LogLine) => void;
}

export interface ScriptCallReport extends ExecutionReport {
  readonly logs: readonly string[];
  readonly kept: readonly ProducedFile[];
  readonly tookMs: number;
}

const REFUSE: Permit = { allowed: false, capability: 'any', by: 'policy', reason: 'the test permits nothing' };

/** The data directory that a plugin gets unless a call names another; beside its own. */
export const dataOf = (plugin: ScriptPlugin): string => join(dirname(plugin.directory), 'data');

/** One call. */
export async function callScript(
  executor: Executor<ScriptRuntime>,
  plugin: ScriptPlugin,
  options: ScriptCallOptions = {},
): Promise<ScriptCallReport> {
  const logs: string[] = [];
  const kept: ProducedFile[] = [];
  const root = options.root ?? join(dirname(plugin.directory), 'root');
  mkdirSync(root, { recursive: true });
  const execution: Execution<ScriptRuntime> = {
    callId: 'test',
    plugin,
    runtime: plugin.runtime,
    command: options.command ?? 'run',
    arguments: options.args ?? {},
    paths: { root, plugin: plugin.directory, data: options.data ?? dataOf(plugin) },
    permissions: ['read:fs:$PLUGIN', 'read:fs:$DATA', 'write:fs:$DATA', ...(options.permissions ?? [])],
    environment: options.environment ?? {},
    limits: { ...plugin.limits, ...options.limits },
  };
  const live: LiveEnds = {
    signal: options.signal ?? new AbortController().signal,
    permit: options.permit ?? (() => REFUSE),
    refused: () => undefined,
    log(line) {
      logs.push(line.message);
      options.onLog?.(line);
    },
    progress: () => undefined,
    keep(file) {
      kept.push(file);
      return Promise.resolve({ kept: true, uri: `artifact://test/${kept.length}` });
    },
  };
  const from = performance.now();
  const report = await executor.execute(execution, live);
  return { ...report, logs, kept, tookMs: performance.now() - from };
}
