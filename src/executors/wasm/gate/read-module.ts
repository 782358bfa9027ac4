import { createReader, GateRefusal, malformedAt, readByte, readName, readU32, refuseFeature, type ByteReader } from './byte-reader.ts';
import { GATE_LIMITS } from './gate-limits.ts';
import { SECTION, SECTION_ORDER, type ModuleShape } from './module-shape.ts';
import {
  readExports,
  readFunctions,
  readGlobals,
  readImports,
  readMemories,
  readStart,
  readTables,
  readTypes,
} from './read-declarations.ts';
import { readDataCount, readDataSegments, readElementSegments, readFunctionBodies } from './read-segments.ts';

type SectionReader = (reader: ByteReader, shape: ModuleShape) => void;

const SECTION_READERS: Readonly<Record<number, SectionReader>> = {
  [SECTION.type]: readTypes,
  [SECTION.import]: readImports,
  [SECTION.function]: readFunctions,
  [SECTION.table]: readTables,
  [SECTION.memory]: readMemories,
  [SECTION.global]: readGlobals,
  [SECTION.export]: readExports,
  [SECTION.start]: readStart,
  [SECTION.element]: readElementSegments,
  [SECTION.dataCount]: readDataCount,
  [SECTION.code]: readFunctionBodies,
  [SECTION.data]: readDataSegments,
};

const HEADER_BYTES = 8;

/** Reads everything of a module but its code, whose bodies are only located. Throws a `GateRefusal`. */
export function readModule(bytes: Uint8Array): ModuleShape {
  const reader = createReader(bytes);
  reader.at = HEADER_BYTES;
  const shape = createShape();
  let rank = -1;
  let customSections = 0;
  while (reader.at < bytes.byteLength) {
    const at = reader.at;
    const id = readByte(reader);
    const end = readSectionEnd(reader, at);
    if (id === SECTION.custom) {
      customSections += 1;
      if (customSections > GATE_LIMITS.customSections) {
        throw new GateRefusal(`WASM module has more than ${GATE_LIMITS.customSections} custom sections: strip it`);
      }
      skipCustom(reader, end);
      continue;
    }
    const nextRank = rankSection(id, at);
    if (nextRank <= rank) throw malformedAt(at, `section ${id} is repeated or out of order`);
    rank = nextRank;
    shape.sections.set(id, { start: reader.at, end });
    readSection(reader, { id, end, shape });
  }
  checkCounts(shape, bytes.byteLength);
  return shape;
}

function createShape(): ModuleShape {
  return {
    types: [],
    imports: [],
    functionTypes: [],
    importedFunctions: 0,
    tables: [],
    memories: [],
    globals: 0,
    exports: [],
    elementSegments: 0,
    dataSegments: 0,
    functionBodies: [],
    sections: new Map(),
  };
}

function readSectionEnd(reader: ByteReader, at: number): number {
  const size = readU32(reader);
  const left = reader.bytes.byteLength - reader.at;
  if (size > left) {
    throw new GateRefusal(`WASM module is cut short: the section at byte ${at} wants ${size} bytes, ${left} are left`);
  }
  return reader.at + size;
}

/** The place of a section in the order; throws for one that plugins may not have. */
function rankSection(id: number, at: number): number {
  if (id === SECTION.tag) throw refuseFeature('exception handling', at);
  const rank = SECTION_ORDER.indexOf(id);
  if (rank === -1) throw malformedAt(at, `section ${id} is unknown`);
  return rank;
}

function skipCustom(reader: ByteReader, end: number): void {
  reader.end = end;
  readName(reader, GATE_LIMITS.nameBytes);
  reader.at = end;
  reader.end = reader.bytes.byteLength;
}

function readSection(reader: ByteReader, { id, end, shape }: { id: number; end: number; shape: ModuleShape }): void {
  reader.end = end;
  SECTION_READERS[id]?.(reader, shape);
  if (reader.at !== end) throw malformedAt(reader.at, `section ${id} has ${end - reader.at} bytes too many`);
  reader.end = reader.bytes.byteLength;
}

function checkCounts(shape: ModuleShape, at: number): void {
  const declared = shape.functionTypes.length - shape.importedFunctions;
  if (declared !== shape.functionBodies.length) {
    throw malformedAt(at, `${declared} functions are declared, ${shape.functionBodies.length} have code`);
  }
  if (shape.dataCount !== undefined && shape.dataCount !== shape.dataSegments) {
    throw malformedAt(at, `${shape.dataCount} data segments are announced, there are ${shape.dataSegments}`);
  }
}
