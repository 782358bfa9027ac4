import { malformedAt, readByte, readCount, readIndex, readName, readU32, refuseFeature, type ByteReader } from './byte-reader.ts';
import { readConstantExpression } from './constant-expression.ts';
import { GATE_LIMITS } from './gate-limits.ts';
import { EXTERN_KINDS, type ExternKind, type ModuleShape } from './module-shape.ts';
import { readRefType, readValType, type ValType } from './value-type.ts';

/** Type forms that later proposals added (specification 3.0, §5.3.5), by name. */
const TYPE_FORM_FUNC = 0x60;
const REFUSED_TYPE_FORMS: Readonly<Record<number, string>> = {
  0x5f: 'garbage-collected types',
  0x5e: 'garbage-collected types',
  0x50: 'garbage-collected types',
  0x4f: 'garbage-collected types',
  0x4e: 'garbage-collected types',
};
const TAG_KIND = 4;

/** Reads the type section: function types only. */
export function readTypes(reader: ByteReader, shape: ModuleShape): void {
  const count = readCount(reader, 'types', GATE_LIMITS.types);
  for (let index = 0; index < count; index++) {
    const at = reader.at;
    const form = readByte(reader);
    if (form !== TYPE_FORM_FUNC) {
      const feature = REFUSED_TYPE_FORMS[form];
      throw feature === undefined ? malformedAt(at, `0x${form.toString(16)} is no type form`) : refuseFeature(feature, at);
    }
    const params = readValTypes(reader, 'parameters in a type', GATE_LIMITS.params);
    shape.types.push({ params, results: readValTypes(reader, 'results in a type', GATE_LIMITS.results) });
  }
}

function readValTypes(reader: ByteReader, what: string, max: number): ValType[] {
  const count = readCount(reader, what, max);
  const types: ValType[] = [];
  for (let index = 0; index < count; index++) types.push(readValType(reader));
  return types;
}

/** Reads the import section. Whether an import is allowed is decided later, so that a refusal can list them all. */
export function readImports(reader: ByteReader, shape: ModuleShape): void {
  const count = readCount(reader, 'imports', GATE_LIMITS.imports);
  for (let index = 0; index < count; index++) {
    const module = readName(reader, GATE_LIMITS.nameBytes);
    const name = readName(reader, GATE_LIMITS.nameBytes);
    const kind = readExternKind(reader);
    if (kind === 'function') {
      const typeIndex = readIndex(reader, 'type', shape.types.length);
      shape.imports.push({ module, name, kind, typeIndex });
      shape.functionTypes.push(typeIndex);
      shape.importedFunctions += 1;
    } else {
      if (kind === 'table') shape.tables.push(readTableType(reader));
      else if (kind === 'memory') shape.memories.push(readMemoryType(reader));
      else readGlobalType(reader, shape);
      shape.imports.push({ module, name, kind });
    }
  }
}

function readExternKind(reader: ByteReader): ExternKind {
  const at = reader.at;
  const byte = readByte(reader);
  if (byte === TAG_KIND) throw refuseFeature('exception handling', at);
  const kind = EXTERN_KINDS[byte];
  if (kind === undefined) throw malformedAt(at, `0x${byte.toString(16)} is no kind of import or export`);
  return kind;
}

/** Reads the function section: the type of each function that the module defines. */
export function readFunctions(reader: ByteReader, shape: ModuleShape): void {
  const count = readCount(reader, 'functions', GATE_LIMITS.functions);
  for (let index = 0; index < count; index++) shape.functionTypes.push(readIndex(reader, 'type', shape.types.length));
}

/** Reads the table section. */
export function readTables(reader: ByteReader, shape: ModuleShape): void {
  const count = readCount(reader, 'tables', GATE_LIMITS.tables);
  for (let index = 0; index < count; index++) {
    // 0x40 opens a table with an initialiser, which came with typed function references.
    if (reader.bytes[reader.at] === 0x40) throw refuseFeature('typed function references', reader.at);
    shape.tables.push(readTableType(reader));
  }
}

function readTableType(reader: ByteReader): ModuleShape['tables'][number] {
  const type = readRefType(reader);
  const { min, max } = readLimits(reader, 'tables');
  return { type, min, ...(max !== undefined && { max }) };
}

/** Reads the memory section. */
export function readMemories(reader: ByteReader, shape: ModuleShape): void {
  const at = reader.at;
  const count = readU32(reader);
  if (count > 1) throw refuseFeature('multiple memories', at);
  for (let index = 0; index < count; index++) shape.memories.push(readMemoryType(reader));
}

function readMemoryType(reader: ByteReader): ModuleShape['memories'][number] {
  const { min, max } = readLimits(reader, 'memories');
  return { minPages: min, ...(max !== undefined && { maxPages: max }) };
}

/** Reads limits; bits of the flag byte: 1 has a maximum, 2 shared, 4 64-bit, 8 custom page size. */
function readLimits(reader: ByteReader, what: string): { min: number; max?: number } {
  const at = reader.at;
  const flags = readByte(reader);
  if (flags > 0x0f) throw malformedAt(at, `0x${flags.toString(16)} are no limits of ${what}`);
  if ((flags & 8) !== 0) throw refuseFeature('custom page sizes', at);
  if ((flags & 4) !== 0) throw refuseFeature(`64-bit ${what}`, at);
  if ((flags & 2) !== 0) throw refuseFeature(`threads (shared ${what})`, at);
  const min = readU32(reader);
  return flags === 1 ? { min, max: readU32(reader) } : { min };
}

function readGlobalType(reader: ByteReader, shape: ModuleShape): void {
  readValType(reader);
  const at = reader.at;
  const mutability = readByte(reader);
  if (mutability === 2 || mutability === 3) throw refuseFeature('threads (shared globals)', at);
  if (mutability > 1) throw malformedAt(at, `0x${mutability.toString(16)} is no mutability`);
  shape.globals += 1;
}

/** Reads the global section. */
export function readGlobals(reader: ByteReader, shape: ModuleShape): void {
  const count = readCount(reader, 'globals', GATE_LIMITS.globals);
  for (let index = 0; index < count; index++) {
    readGlobalType(reader, shape);
    readConstantExpression(reader, shape);
  }
}

/** Reads the export section. */
export function readExports(reader: ByteReader, shape: ModuleShape): void {
  const count = readCount(reader, 'exports', GATE_LIMITS.exports);
  const names = new Set<string>();
  const counts: Readonly<Record<ExternKind, number>> = {
    function: shape.functionTypes.length,
    table: shape.tables.length,
    memory: shape.memories.length,
    global: shape.globals,
  };
  for (let entry = 0; entry < count; entry++) {
    const at = reader.at;
    const name = readName(reader, GATE_LIMITS.nameBytes);
    if (names.has(name)) throw malformedAt(at, 'an export has the name of another');
    names.add(name);
    const kind = readExternKind(reader);
    shape.exports.push({ name, kind, index: readIndex(reader, kind, counts[kind]) });
  }
}

/** Reads the start section. */
export function readStart(reader: ByteReader, shape: ModuleShape): void {
  const at = reader.at;
  const index = readIndex(reader, 'function', shape.functionTypes.length);
  const type = shape.types[shape.functionTypes[index] ?? -1];
  if (type === undefined || type.params.length + type.results.length > 0) {
    throw malformedAt(at, 'the start function takes or gives something');
  }
  shape.startFunction = index;
}
