import type { ExportEntry, ModuleShape } from './module-shape.ts';
import { formatSignature, isSameSignature, type Signature } from './value-type.ts';

/** Which export a call runs; `none` when there is none, and a call does nothing. */
export type Entry = 'run' | '_start' | 'main' | 'none';

/** In the order in which they are chosen, each only with exactly this type (agentzero.md §2, “Exports”). */
const ENTRIES: readonly (readonly [Exclude<Entry, 'none'>, Signature])[] = [
  ['run', { params: ['i32', 'i32'], results: ['i64'] }],
  ['_start', { params: [], results: [] }],
  ['main', { params: [], results: ['i32'] }],
];
const ALLOC: Signature = { params: ['i32'], results: ['i32'] };
/** Exports of the ABI generation before this one (agentzero.md §8). */
const OLD_EXPORTS: readonly string[] = ['az_tool_execute', 'az_tool_name', 'az_alloc'];

/** What a module’s exports let a host do, and what is wrong with them. */
export interface ExportFindings {
  readonly entry: Entry;
  readonly hasAlloc: boolean;
  readonly hasMemory: boolean;
  readonly problems: string[];
}

/** Chooses the entry and checks that it can work. */
export function checkExports(shape: ModuleShape): ExportFindings {
  const exported = new Map(shape.exports.map((entry) => [entry.name, entry]));
  const hasType = (name: string, wanted: Signature): boolean => {
    const found = signatureOf(exported.get(name), shape);
    return found !== undefined && isSameSignature(found, wanted);
  };
  const entry = ENTRIES.find(([name, wanted]) => hasType(name, wanted))?.[0] ?? 'none';
  const hasAlloc = hasType('alloc', ALLOC);
  const memory = exported.get('memory');
  const hasMemory = memory?.kind === 'memory';
  const problems: string[] = [];
  const old = OLD_EXPORTS.find((name) => exported.has(name));
  if (entry !== 'run' && old !== undefined) {
    problems.push(
      `WASM module is built for the older plugin ABI, as its export ${old} shows: rebuild it for the present one, with run and alloc`,
    );
  }
  if (memory !== undefined && !hasMemory) problems.push(`WASM module exports memory as a ${memory.kind}: wanted its memory`);
  if (entry === 'run' && !hasAlloc) problems.push(nameAlloc(exported.get('alloc'), shape));
  if (entry === 'run' && memory === undefined)
    problems.push('WASM module exports run without memory: wanted its memory as the export memory');
  return { entry, hasAlloc, hasMemory, problems };
}

function signatureOf(entry: ExportEntry | undefined, shape: ModuleShape): Signature | undefined {
  return entry?.kind === 'function' ? shape.types[shape.functionTypes[entry.index] ?? -1] : undefined;
}

function nameAlloc(alloc: ExportEntry | undefined, shape: ModuleShape): string {
  const wanted = `wanted the function alloc ${formatSignature(ALLOC)}`;
  if (alloc === undefined) return `WASM module exports run without alloc: ${wanted}`;
  const found = signatureOf(alloc, shape);
  return `WASM module exports alloc as ${found === undefined ? `a ${alloc.kind}` : formatSignature(found)}: ${wanted}`;
}
