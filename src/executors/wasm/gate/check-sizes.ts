import { GATE_LIMITS, MAX_PAGES, PAGE_BYTES } from './gate-limits.ts';
import type { MemoryShape, ModuleShape } from './module-shape.ts';

/** What is wrong with the sizes of a module’s memory and tables under a cap of `memoryBytes`. */
export function checkSizes(shape: ModuleShape, memoryBytes: number): string[] {
  const problems: string[] = [];
  const cap = capPages(memoryBytes);
  if (shape.memories.length > 1) problems.push(`WASM module has ${shape.memories.length} memories: the limit is 1`);
  for (const { minPages, maxPages } of shape.memories) {
    if (minPages > cap) {
      problems.push(
        `WASM module wants ${minPages} pages of memory (${minPages * PAGE_BYTES} bytes) at its start: the limit is ${cap} pages (${cap * PAGE_BYTES} bytes)`,
      );
    }
    if (maxPages !== undefined && (maxPages < minPages || maxPages > MAX_PAGES)) {
      problems.push(
        `WASM module has a memory of ${minPages} to ${maxPages} pages: the maximum must be between the minimum and ${MAX_PAGES}`,
      );
    }
  }
  const entries = shape.tables.reduce((sum, table) => sum + table.min, 0);
  if (shape.tables.length > GATE_LIMITS.tables)
    problems.push(`WASM module has ${shape.tables.length} tables: the limit is ${GATE_LIMITS.tables}`);
  if (entries > GATE_LIMITS.tableEntries) {
    problems.push(`WASM module wants ${entries} table entries at its start: the limit is ${GATE_LIMITS.tableEntries}`);
  }
  for (const { min, max } of shape.tables) {
    if (max !== undefined && max < min)
      problems.push(`WASM module has a table of ${min} to ${max} entries: the maximum must not be below the minimum`);
  }
  return problems;
}

/** The module’s memory with the maximum that it gets; undefined when it has none. */
export function capMemory(shape: ModuleShape, memoryBytes: number): Required<MemoryShape> | undefined {
  const [memory] = shape.memories;
  if (memory === undefined) return undefined;
  const cap = capPages(memoryBytes);
  return { minPages: memory.minPages, maxPages: Math.min(memory.maxPages ?? cap, cap) };
}

/** Whole pages within a cap in bytes; anything that is no number of bytes caps at nothing. */
const capPages = (memoryBytes: number): number => (memoryBytes > 0 ? Math.min(MAX_PAGES, Math.floor(memoryBytes / PAGE_BYTES)) : 0);
