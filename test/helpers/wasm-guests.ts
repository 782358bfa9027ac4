import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'esbuild';
import { pino } from 'pino';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

import type { Execution, ExecutionReport, Executor, LiveEnds, LogLine, Permit, Refusal } from '../../src/executors/executor.ts';
import type { SandboxOptions } from '../../src/executors/sandbox/create-sandbox.ts';
import { createEgress, DEFAULT_EGRESS_LIMITS } from '../../src/executors/egress/egress.ts';
import { createCommandRunner } from '../../src/executors/sandbox/run-command.ts';
import type { SandboxedProcess } from '../../src/executors/sandbox/sandbox.ts';
import { createWasmExecutor } from '../../src/executors/wasm/wasm-executor.ts';
import type { Limits, Plugin } from '../../src/manifest/plugin.ts';
import { findSensitiveName } from '../../src/policy/sensitive-names.ts';
import { pluginOf, readDirectory, writeFiles } from '../fixtures/manifests/write-plugin.ts';
import { useSandbox } from './sandbox.ts';
import { useTmp } from './tmp.ts';
import { assembleWat } from './wasm-fixture.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

/** Builds the real host process once for a test file; the function gives its path. */
export function useHostScript(): () => string {
  let directory = '';
  beforeAll(async () => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'plugbridge-test-')));
    await build({
      entryPoints: [join(ROOT, 'src/executors/wasm/child.ts')],
      outfile: join(directory, 'wasm-host.js'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
    });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return () => join(directory, 'wasm-host.js');
}

export interface RunningExecutor {
  readonly executor: Executor;
  /** Every host process that was started, dead ones too. */
  readonly started: SandboxedProcess[];
  /** How often a start was asked for, whether it has come about or not. */
  attempts(): number;
  readonly cacheDirectory: string;
  /** Before the test ends, for those that look at what is left. */
  closeSandbox(): Promise<void>;
}

/** The real executor on the real sandbox; both are closed when the test ends. */
export function useWasmExecutor(
  hostScript: string,
  { hosts = 1, sandbox: options = {} }: { hosts?: number; sandbox?: Partial<SandboxOptions> } = {},
): RunningExecutor {
  const started: SandboxedProcess[] = [];
  let attempts = 0;
  const sandbox = useSandbox(options);
  const cacheDirectory = useTmp();
  const executor = createWasmExecutor({
    hostScript,
    cacheDirectory,
    hosts,
    log: pino({ level: 'silent' }),
    sandbox: {
      ...sandbox,
      async spawn(description) {
        attempts += 1;
        const process = await sandbox.spawn(description);
        started.push(process);
        return process;
      },
    },
    services: {
      createEgress: (permit) => createEgress({ permit, limits: DEFAULT_EGRESS_LIMITS }),
      runCommand: createCommandRunner({ sandbox, isHidden: (segments) => findSensitiveName(segments, 'read') !== undefined }),
      now: () => new Date(),
    },
  });
  onTestFinished(() => executor.close());
  return { executor, started, attempts: () => attempts, cacheDirectory, closeSandbox: () => sandbox.close() };
}

/** Writes a plugin of one command `go` with this module and reads it as the program does. */
export async function writeGuest(wat: string, manifest = ''): Promise<Plugin> {
  const toml = `[plugin]\nname = "guest"\nversion = "1.0.0"\ndescription = "A guest"\nwasm_path = "guest.wasm"\n${manifest}
[[commands]]\nname = "go"\ndescription = "Goes"\n`;
  return pluginOf(readDirectory(writeFiles(useTmp(), { 'PLUGIN.toml': toml, 'guest.wasm': await assembleWat(wat) })));
}

/** Assembles and reads `test/fixtures/plugins/<name>`: one misbehaviour each. */
export async function loadGuestPlugin(name: string): Promise<Plugin> {
  const source = new URL(`../fixtures/plugins/${name}/`, import.meta.url);
  const [toml, wat] = [readFileSync(new URL('PLUGIN.toml', source)), readFileSync(new URL('plugin.wat', source), 'utf8')];
  return pluginOf(readDirectory(writeFiles(useTmp(), { 'PLUGIN.toml': toml, 'plugin.wasm': await assembleWat(wat) })));
}

/** A plugin around `test/fixtures/wasm/<name>.wat`. */
export const loadFixtureGuest = (name: string): Promise<Plugin> =>
  writeGuest(readFileSync(new URL(`../fixtures/wasm/${name}.wat`, import.meta.url), 'utf8'));

export interface GuestCallOptions {
  readonly args?: Readonly<Record<string, unknown>>;
  readonly limits?: Partial<Limits>;
  readonly root?: string;
  readonly signal?: AbortSignal;
  /** Refuses everything when absent. */
  readonly permit?: LiveEnds['permit'];
  readonly onLog?: (line: LogLine) => void;
}

export interface GuestCallReport extends ExecutionReport {
  readonly logs: readonly LogLine[];
  readonly refusals: readonly Refusal[];
  readonly tookMs: number;
}

const REFUSE: Permit = { allowed: false, capability: 'any', by: 'policy', reason: 'the test permits nothing' };

/** One call of `go`. */
export async function callPlugin(executor: Executor, plugin: Plugin, options: GuestCallOptions = {}): Promise<GuestCallReport> {
  const logs: LogLine[] = [];
  const refusals: Refusal[] = [];
  const root = options.root ?? plugin.directory;
  const execution: Execution = {
    callId: 'test',
    plugin,
    runtime: plugin.runtime,
    command: 'go',
    arguments: options.args ?? {},
    paths: { root, plugin: plugin.directory, data: join(plugin.directory, 'data') },
    permissions: [],
    environment: {},
    limits: { ...plugin.limits, ...options.limits },
  };
  const live: LiveEnds = {
    signal: options.signal ?? new AbortController().signal,
    permit: options.permit ?? (() => REFUSE),
    refused: (refusal) => void refusals.push(refusal),
    log(line) {
      logs.push(line);
      options.onLog?.(line);
    },
    progress: () => undefined,
    keep: () => Promise.resolve({ kept: false, reason: 'the test keeps nothing' }),
  };
  const from = performance.now();
  const report = await executor.execute(execution, live);
  return { ...report, logs, refusals, tookMs: performance.now() - from };
}

/** Bytes as the text of a WAT string. */
export const watString = (bytes: Uint8Array | string): string =>
  [...(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');

/** A bump allocator that grows the memory, from 1 MiB on. */
export const WAT_ALLOC = `
  (global $next (mut i32) (i32.const 1048576))
  (func $alloc (export "alloc") (param $size i32) (result i32) (local $at i32)
    (local.set $at (global.get $next))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
      (then (drop (memory.grow (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1))))))
    (local.get $at))`;

/** A guest that answers with these bytes, or with any pointer and length. */
export function watAnswering(bytes: Uint8Array | string, at: { readonly pointer?: number; readonly length?: number } = {}): string {
  const length = at.length ?? (typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length);
  const packed = BigInt.asIntN(64, (BigInt(at.pointer ?? 1024) << 32n) | BigInt.asUintN(32, BigInt(length)));
  return `(module (memory (export "memory") 17) (data (i32.const 1024) "${watString(bytes)}") ${WAT_ALLOC}
  (func (export "run") (param i32 i32) (result i64) (i64.const ${packed})))`;
}

/** A guest that does its work and says "fine". */
export const WAT_FINE = watAnswering('{"success":true,"output":"fine"}');
