import {
  malformedAt,
  readByte,
  readCount,
  readIndex,
  readU32,
  refuseFeature,
  skipBytes,
  skipS32,
  skipS64,
  type ByteReader,
} from './byte-reader.ts';
import { FOLLOWS, REFUSED_OPCODES } from './opcodes.ts';
import { readNullType, readValType } from './value-type.ts';

/** How many there are of what code may name. */
export interface CodeBounds {
  /** Values taken and given, by type and by function. */
  readonly typeValues: readonly number[];
  readonly functionValues: readonly number[];
  readonly tables: number;
  readonly globals: number;
  readonly elementSegments: number;
  readonly dataSegments: number;
}

interface Instruction {
  readonly opcode: number;
  readonly follows: number;
  readonly at: number;
}

/** Passes over what follows a one-byte opcode, checking every index. Throws a `GateRefusal` for opcodes outside the profile. */
export function passImmediate(reader: ByteReader, bounds: CodeBounds, { opcode, follows, at }: Instruction): void {
  switch (follows) {
    case FOLLOWS.memarg:
      return passMemarg(reader);
    case FOLLOWS.s32:
      return skipS32(reader);
    case FOLLOWS.s64:
      return skipS64(reader);
    case FOLLOWS.bytes4:
      return skipBytes(reader, 4);
    case FOLLOWS.bytes8:
      return skipBytes(reader, 8);
    case FOLLOWS.global:
      readIndex(reader, 'global', bounds.globals);
      return;
    case FOLLOWS.table:
      readIndex(reader, 'table', bounds.tables);
      return;
    case FOLLOWS.memory:
    case FOLLOWS.growMemory:
      return passMemory(reader);
    case FOLLOWS.valTypes:
      return passSelectType(reader);
    case FOLLOWS.refType:
      readNullType(reader);
      return;
    default:
      throw refuseOpcode(opcode, at);
  }
}

function refuseOpcode(opcode: number, at: number): Error {
  const feature = REFUSED_OPCODES[opcode];
  return feature === undefined ? malformedAt(at, `0x${opcode.toString(16)} is no instruction`) : refuseFeature(feature, at);
}

/** Passes over the type and the table of an indirect call and returns how many values it takes and gives. */
export function passIndirect(reader: ByteReader, bounds: CodeBounds): number {
  const type = readIndex(reader, 'type', bounds.typeValues.length);
  readIndex(reader, 'table', bounds.tables);
  return bounds.typeValues[type] ?? 0;
}

/** Passes over alignment and offset; bit 6 of the alignment would name a memory. */
export function passMemarg(reader: ByteReader): void {
  const at = reader.at;
  const align = readU32(reader);
  if ((align & 0x40) !== 0) throw refuseFeature('multiple memories', at);
  if (align > 4) throw malformedAt(at, `2^${align} is no alignment`);
  readU32(reader);
}

/** Passes over the index of the only memory. */
export function passMemory(reader: ByteReader): void {
  const at = reader.at;
  if (readByte(reader) !== 0) throw refuseFeature('multiple memories', at);
}

function passSelectType(reader: ByteReader): void {
  const count = readCount(reader, 'types in a select', 1);
  for (let index = 0; index < count; index++) readValType(reader);
}
