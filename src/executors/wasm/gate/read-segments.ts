import {
  GateRefusal,
  malformedAt,
  readByte,
  readCount,
  readIndex,
  readU32,
  refuseFeature,
  skipBytes,
  type ByteReader,
} from './byte-reader.ts';
import { readConstantExpression } from './constant-expression.ts';
import { GATE_LIMITS } from './gate-limits.ts';
import type { ModuleShape } from './module-shape.ts';
import { readRefType } from './value-type.ts';

/** Reads the element section. Bits of the flags: 1 passive or declarative, 2 explicit table or declarative, 4 expressions (§5.5.12). */
export function readElementSegments(reader: ByteReader, shape: ModuleShape): void {
  shape.elementSegments = readCount(reader, 'element segments', GATE_LIMITS.elementSegments);
  let entries = 0;
  for (let index = 0; index < shape.elementSegments; index++) {
    const at = reader.at;
    const flags = readU32(reader);
    if (flags > 7) throw malformedAt(at, `${flags} is no kind of element segment`);
    if ((flags & 1) === 0) {
      if ((flags & 2) !== 0) readIndex(reader, 'table', shape.tables.length);
      else if (shape.tables.length === 0) throw malformedAt(at, 'an element segment has no table');
      readConstantExpression(reader, shape);
    }
    const isExpressions = (flags & 4) !== 0;
    if ((flags & 3) !== 0) readElementType(reader, isExpressions);
    const count = readU32(reader);
    entries += count;
    if (entries > GATE_LIMITS.elementEntries) {
      throw new GateRefusal(`WASM module has ${entries} element entries: the limit is ${GATE_LIMITS.elementEntries}`);
    }
    for (let entry = 0; entry < count; entry++) {
      if (isExpressions) readConstantExpression(reader, shape);
      else readIndex(reader, 'function', shape.functionTypes.length);
    }
  }
}

function readElementType(reader: ByteReader, isExpressions: boolean): void {
  if (isExpressions) {
    readRefType(reader);
    return;
  }
  const at = reader.at;
  if (readByte(reader) !== 0) throw malformedAt(at, 'an element segment holds something else than functions');
}

/** Reads the DataCount section. */
export function readDataCount(reader: ByteReader, shape: ModuleShape): void {
  shape.dataCount = readCount(reader, 'data segments', GATE_LIMITS.dataSegments);
}

/** Reads the data section. */
export function readDataSegments(reader: ByteReader, shape: ModuleShape): void {
  shape.dataSegments = readCount(reader, 'data segments', GATE_LIMITS.dataSegments);
  for (let index = 0; index < shape.dataSegments; index++) {
    const at = reader.at;
    const flags = readU32(reader);
    if (flags > 2) throw malformedAt(at, `${flags} is no kind of data segment`);
    if (flags === 2 && readU32(reader) !== 0) throw refuseFeature('multiple memories', at);
    if (flags !== 1) {
      if (shape.memories.length === 0) throw malformedAt(at, 'a data segment has no memory');
      readConstantExpression(reader, shape);
    }
    skipBytes(reader, readU32(reader));
  }
}

/** Locates the function bodies of the code section. */
export function readFunctionBodies(reader: ByteReader, shape: ModuleShape): void {
  const count = readCount(reader, 'functions', GATE_LIMITS.functions);
  for (let index = 0; index < count; index++) {
    const size = readCount(reader, `bytes in function ${shape.importedFunctions + index}`, GATE_LIMITS.functionBytes);
    const start = reader.at;
    skipBytes(reader, size);
    shape.functionBodies.push({ start, end: reader.at });
  }
}
