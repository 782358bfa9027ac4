import { malformedAt, readByte, readIndex, readU32, refuseFeature, skipBytes, type ByteReader } from './byte-reader.ts';
import { CHARGE } from './function-plan.ts';
import { SIMD_FOLLOWS, SIMD_OPCODE_FOLLOWS } from './opcodes.ts';
import { passMemarg, passMemory, type CodeBounds } from './pass-immediate.ts';

/** Numbers after the prefix 0xfc (specification 2.0, §5.4.6 and §5.4.7); 0 to 7 are saturating conversions. */
const BULK = {
  lastConversion: 7,
  memoryInit: 8,
  dataDrop: 9,
  memoryCopy: 10,
  memoryFill: 11,
  tableInit: 12,
  elemDrop: 13,
  tableCopy: 14,
  tableGrow: 15,
  tableSize: 16,
  tableFill: 17,
} as const;

/** Passes over an instruction of the prefix 0xfc and says what it must be charged for. */
export function passBulk(reader: ByteReader, bounds: CodeBounds): number {
  const at = reader.at;
  const number = readU32(reader);
  if (number <= BULK.lastConversion) return CHARGE.none;
  switch (number) {
    case BULK.memoryInit:
      readIndex(reader, 'data segment', bounds.dataSegments);
      passMemory(reader);
      return CHARGE.copyMemory;
    case BULK.dataDrop:
      readIndex(reader, 'data segment', bounds.dataSegments);
      return CHARGE.none;
    case BULK.memoryCopy:
      passMemory(reader);
      passMemory(reader);
      return CHARGE.copyMemory;
    case BULK.memoryFill:
      passMemory(reader);
      return CHARGE.fillMemory;
    case BULK.tableInit:
      readIndex(reader, 'element segment', bounds.elementSegments);
      readIndex(reader, 'table', bounds.tables);
      return CHARGE.tableEntries;
    case BULK.elemDrop:
      readIndex(reader, 'element segment', bounds.elementSegments);
      return CHARGE.none;
    case BULK.tableCopy:
      readIndex(reader, 'table', bounds.tables);
      readIndex(reader, 'table', bounds.tables);
      return CHARGE.tableEntries;
    case BULK.tableGrow:
      readIndex(reader, 'table', bounds.tables);
      return CHARGE.growTable;
    case BULK.tableSize:
      readIndex(reader, 'table', bounds.tables);
      return CHARGE.none;
    case BULK.tableFill:
      readIndex(reader, 'table', bounds.tables);
      return CHARGE.tableEntries;
    default:
      throw malformedAt(at, `0xfc ${number} is no instruction`);
  }
}

const FIRST_RELAXED = 0x100;
const LAST_RELAXED = 0x12f;

/** Passes over an instruction of the prefix 0xfd. */
export function passSimd(reader: ByteReader): void {
  const at = reader.at;
  const number = readU32(reader);
  if (number >= FIRST_RELAXED && number <= LAST_RELAXED) throw refuseFeature('relaxed SIMD', at);
  switch (SIMD_OPCODE_FOLLOWS[number] ?? SIMD_FOLLOWS.refused) {
    case SIMD_FOLLOWS.nothing:
      return;
    case SIMD_FOLLOWS.memarg:
      return passMemarg(reader);
    case SIMD_FOLLOWS.memargAndLane:
      passMemarg(reader);
      readByte(reader);
      return;
    case SIMD_FOLLOWS.lane:
      readByte(reader);
      return;
    case SIMD_FOLLOWS.bytes16:
      return skipBytes(reader, 16);
    default:
      throw malformedAt(at, `0xfd ${number} is no instruction`);
  }
}
