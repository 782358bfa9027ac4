import { GateRefusal } from './byte-reader.ts';
import { checkExports, type Entry } from './check-exports.ts';
import { checkImports, listImports, type ModuleImport } from './check-imports.ts';
import { capMemory, checkSizes } from './check-sizes.ts';
import { GATE_LIMITS } from './gate-limits.ts';
import { meterCode } from './meter-code.ts';
import type { ModuleShape } from './module-shape.ts';
import { readModule } from './read-module.ts';
import { tryNameForeignFile } from './recognise.ts';
import { MEMORY_IMPORT, rewriteModule } from './rewrite-module.ts';

export type { ModuleImport } from './check-imports.ts';

export interface GateOptions {
  /** Cap of the one memory, rounded down to whole pages. */
  readonly memoryBytes: number;
  /** Whether the memory is to be imported as `plugbridge::memory`, so that the host can give one that it has used before. */
  readonly importMemory?: boolean;
}

/** A module that passed, as the host may compile it. */
export interface GatedModule {
  /** The rewritten module: metered, capped, without start and custom sections. The only bytes to compile. */
  readonly bytes: Uint8Array;
  readonly entry: Entry;
  /** Whether `alloc` is exported as `(i32) -> i32`. */
  readonly hasAlloc: boolean;
  /** Whether the memory is exported as `memory`. */
  readonly hasMemory: boolean;
  /** The export that was the start function: to be called first, with fuel. */
  readonly startExport?: string;
  /**
   * The exported mutable `i64` global that holds the fuel: 0 until the host sets it. A trap that leaves it negative
   * is the end of the fuel.
   */
  readonly fuelExport: string;
  readonly imports: readonly ModuleImport[];
  readonly memory?: { readonly minPages: number; readonly maxPages: number };
}

/** One sentence for each problem, as many as could be found. */
export type GateResult = { readonly ok: true; readonly module: GatedModule } | { readonly ok: false; readonly problems: string[] };

/**
 * Decides once, at install time, whether a WASM module may ever run, and rewrites it so that it can be stopped: every
 * function entry, loop and bulk instruction pays fuel. Nothing of the module is compiled or run. Never throws for any
 * bytes; time and memory are bounded by `GATE_LIMITS`.
 */
export function gateModule(bytes: Uint8Array, options: GateOptions): GateResult {
  if (bytes.byteLength > GATE_LIMITS.moduleBytes) {
    return refuse([`WASM module has ${bytes.byteLength} bytes: the limit is ${GATE_LIMITS.moduleBytes}`]);
  }
  const foreign = tryNameForeignFile(bytes);
  if (foreign !== undefined) return refuse([foreign]);
  try {
    return gateShape(bytes, readModule(bytes), options);
  } catch (error) {
    if (error instanceof GateRefusal) return refuse([error.message]);
    throw error;
  }
}

function gateShape(bytes: Uint8Array, shape: ModuleShape, { memoryBytes, importMemory = false }: GateOptions): GateResult {
  const exports = checkExports(shape);
  const code = meterCode(bytes, shape);
  const problems = [...checkImports(shape), ...exports.problems, ...checkSizes(shape, memoryBytes), ...(code.ok ? [] : code.problems)];
  if (!code.ok || problems.length > 0) return refuse(problems);

  const memory = capMemory(shape, memoryBytes);
  const fuelExport = chooseName('__az_fuel', shape);
  const startExport = shape.startFunction === undefined ? undefined : chooseName('__az_start', shape);
  const added = { fuelExport, ...(startExport !== undefined && { startExport }), ...(memory !== undefined && { memory }) };
  const rewritten = rewriteModule(bytes, { shape, code: code.code, ...added, ...(importMemory && { memoryImport: MEMORY_IMPORT }) });
  // The gate reads structure, the engine's validator checks types: both must agree, on what came and on what goes on.
  if (!WebAssembly.validate(bytes)) return refuse(['WASM module is invalid: its code does not pass type checking']);
  if (!WebAssembly.validate(rewritten)) return refuse(['WASM module cannot be metered: it passes type checking only without its charges']);
  const { entry, hasAlloc, hasMemory } = exports;
  return { ok: true, module: { bytes: rewritten, entry, hasAlloc, hasMemory, imports: listImports(shape), ...added } };
}

function refuse(problems: readonly string[]): GateResult {
  const extra = problems.length - GATE_LIMITS.problems;
  const shown = problems.slice(0, GATE_LIMITS.problems);
  return { ok: false, problems: extra > 0 ? [...shown, `WASM module has ${extra} further problems`] : shown };
}

/** The first of `name`, `name_1`, `name_2`… that the module does not export. */
function chooseName(name: string, shape: ModuleShape): string {
  const taken = new Set(shape.exports.map((entry) => entry.name));
  let chosen = name;
  for (let number = 1; taken.has(chosen); number++) chosen = `${name}_${number}`;
  return chosen;
}
