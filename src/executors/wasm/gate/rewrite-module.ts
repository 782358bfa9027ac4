import { clearWriter, createWriter, writeByte, writeBytes, writeRange, writeU32, writtenBytes, type ByteWriter } from './byte-writer.ts';
import { GATE_LIMITS } from './gate-limits.ts';
import { SECTION, SECTION_ORDER, type MemoryShape, type ModuleShape } from './module-shape.ts';
import { OPCODE } from './opcodes.ts';

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const I64 = 0x7e;
const MUTABLE = 1;
const EXPORT_FUNCTION = 0;
const IMPORT_MEMORY = 2;
const EXPORT_GLOBAL = 3;
const FUNCREF = 0x70;
const EXTERNREF = 0x6f;
const HAS_MAX = 1;
/** A count is at most five bytes, a name’s length two: room for what is added to a section. */
const SLACK_BYTES = 1_024;

/** The name of an import that no plugin can have, because plugins import from `az` alone. */
export const MEMORY_IMPORT = { module: 'plugbridge', name: 'memory' } as const;
type MemoryImport = typeof MEMORY_IMPORT;

export interface RewriteOptions {
  readonly shape: ModuleShape;
  /** Content of the new code section. */
  readonly code: Uint8Array;
  /** The one memory with its final maximum. */
  readonly memory?: Required<MemoryShape>;
  /** Import the memory under this name instead of defining it. */
  readonly memoryImport?: MemoryImport;
  readonly fuelExport: string;
  readonly startExport?: string;
}

/**
 * Puts the module together again: custom sections and the start section left out, tables and memory with a maximum,
 * the fuel global behind all others, and the exports that the host needs.
 */
export function rewriteModule(bytes: Uint8Array, options: RewriteOptions): Uint8Array {
  const maxBytes = bytes.byteLength + options.code.byteLength + GATE_LIMITS.tables * 16 + SLACK_BYTES * 4;
  const output = createWriter({ what: 'a rewritten module', maxBytes, sizeHint: maxBytes });
  const section = createWriter({ what: 'a rewritten section', maxBytes, sizeHint: SLACK_BYTES });
  writeBytes(output, HEADER);
  for (const id of SECTION_ORDER) {
    clearWriter(section);
    writeContent(section, { id, bytes, options });
    if (section.length === 0) continue;
    writeByte(output, id);
    writeU32(output, section.length);
    writeRange(output, section.bytes, { start: 0, end: section.length });
  }
  return writtenBytes(output);
}

function writeContent(writer: ByteWriter, { id, bytes, options }: { id: number; bytes: Uint8Array; options: RewriteOptions }): void {
  const { shape, code } = options;
  const range = shape.sections.get(id);
  switch (id) {
    case SECTION.start:
      return;
    case SECTION.table:
      return writeTables(writer, shape);
    case SECTION.import:
      return writeImports(writer, bytes, options);
    case SECTION.memory:
      return writeMemories(writer, options);
    case SECTION.global:
      return writeGlobals(writer, bytes, shape);
    case SECTION.export:
      return writeExports(writer, bytes, options);
    case SECTION.code:
      if (range !== undefined) writeRange(writer, code, { start: 0, end: code.byteLength });
      return;
    default:
      if (range !== undefined) writeRange(writer, bytes, range);
  }
}

function writeTables(writer: ByteWriter, shape: ModuleShape): void {
  if (shape.tables.length === 0) return;
  writeU32(writer, shape.tables.length);
  for (const { type, min, max } of shape.tables) {
    writeBytes(writer, [type === 'externref' ? EXTERNREF : FUNCREF, HAS_MAX]);
    writeU32(writer, min);
    writeU32(writer, Math.min(max ?? GATE_LIMITS.tableEntries, GATE_LIMITS.tableEntries));
  }
}

function writeImports(writer: ByteWriter, bytes: Uint8Array, { shape, memory, memoryImport }: RewriteOptions): void {
  const added = memory === undefined || memoryImport === undefined ? 0 : 1;
  if (shape.imports.length + added === 0) return;
  writeU32(writer, shape.imports.length + added);
  writeEntries(writer, bytes, { shape, id: SECTION.import });
  if (memory === undefined || memoryImport === undefined) return;
  writeName(writer, memoryImport.module);
  writeName(writer, memoryImport.name);
  writeByte(writer, IMPORT_MEMORY);
  writeMemoryType(writer, memory);
}

function writeMemories(writer: ByteWriter, { memory, memoryImport }: RewriteOptions): void {
  if (memory === undefined || memoryImport !== undefined) return;
  writeU32(writer, 1);
  writeMemoryType(writer, memory);
}

function writeMemoryType(writer: ByteWriter, { minPages, maxPages }: Required<MemoryShape>): void {
  writeByte(writer, HAS_MAX);
  writeU32(writer, minPages);
  writeU32(writer, maxPages);
}

function writeGlobals(writer: ByteWriter, bytes: Uint8Array, shape: ModuleShape): void {
  writeU32(writer, shape.globals + 1);
  writeEntries(writer, bytes, { shape, id: SECTION.global });
  // No fuel until the host puts some in: an instance that nobody fuelled runs nothing.
  writeBytes(writer, [I64, MUTABLE, OPCODE.i64Const, 0, OPCODE.end]);
}

function writeExports(writer: ByteWriter, bytes: Uint8Array, { shape, fuelExport, startExport }: RewriteOptions): void {
  writeU32(writer, shape.exports.length + (startExport === undefined ? 1 : 2));
  writeEntries(writer, bytes, { shape, id: SECTION.export });
  writeExport(writer, { name: fuelExport, kind: EXPORT_GLOBAL, index: shape.globals });
  if (startExport !== undefined) writeExport(writer, { name: startExport, kind: EXPORT_FUNCTION, index: shape.startFunction ?? 0 });
}

function writeExport(writer: ByteWriter, { name, kind, index }: { name: string; kind: number; index: number }): void {
  writeName(writer, name);
  writeByte(writer, kind);
  writeU32(writer, index);
}

function writeName(writer: ByteWriter, name: string): void {
  const encoded = new TextEncoder().encode(name);
  writeU32(writer, encoded.byteLength);
  writeRange(writer, encoded, { start: 0, end: encoded.byteLength });
}

/** Copies a section’s entries without the count before them, which may be padded to five bytes. */
function writeEntries(writer: ByteWriter, bytes: Uint8Array, { shape, id }: { shape: ModuleShape; id: number }): void {
  const range = shape.sections.get(id);
  if (range === undefined) return;
  let start = range.start;
  while ((bytes[start] ?? 0) > 0x7f) start += 1;
  writeRange(writer, bytes, { start: start + 1, end: range.end });
}
