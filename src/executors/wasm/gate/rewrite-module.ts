import { clearWriter, createWriter, writeByte, writeBytes, writeRange, writeU32, writtenBytes, type ByteWriter } from './byte-writer.ts';
import { GATE_LIMITS } from './gate-limits.ts';
import { SECTION, SECTION_ORDER, type MemoryShape, type ModuleShape } from './module-shape.ts';
import { OPCODE } from './opcodes.ts';

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const I64 = 0x7e;
const MUTABLE = 1;
const EXPORT_FUNCTION = 0;
const EXPORT_GLOBAL = 3;
const FUNCREF = 0x70;
const EXTERNREF = 0x6f;
const HAS_MAX = 1;
/** A count is at most five bytes, a name’s length two: room for what is added to a section. */
const SLACK_BYTES = 1_024;

export interface RewriteOptions {
  readonly shape: ModuleShape;
  /** Content of the new code section. */
  readonly code: Uint8Array;
  /** The one memory with its final maximum. */
  readonly memory?: Required<MemoryShape>;
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
    case SECTION.memory:
      return writeMemory(writer, options.memory);
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

function writeMemory(writer: ByteWriter, memory: RewriteOptions['memory']): void {
  if (memory === undefined) return;
  writeBytes(writer, [1, HAS_MAX]);
  writeU32(writer, memory.minPages);
  writeU32(writer, memory.maxPages);
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
  const encoded = new TextEncoder().encode(name);
  writeU32(writer, encoded.byteLength);
  writeRange(writer, encoded, { start: 0, end: encoded.byteLength });
  writeByte(writer, kind);
  writeU32(writer, index);
}

/** Copies a section’s entries without the count before them, which may be padded to five bytes. */
function writeEntries(writer: ByteWriter, bytes: Uint8Array, { shape, id }: { shape: ModuleShape; id: number }): void {
  const range = shape.sections.get(id);
  if (range === undefined) return;
  let start = range.start;
  while ((bytes[start] ?? 0) > 0x7f) start += 1;
  writeRange(writer, bytes, { start: start + 1, end: range.end });
}
