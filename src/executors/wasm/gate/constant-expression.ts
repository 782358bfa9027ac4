import { malformedAt, readByte, readIndex, refuseFeature, skipBytes, skipS32, skipS64, type ByteReader } from './byte-reader.ts';
import type { ModuleShape } from './module-shape.ts';
import { OPCODE, REFUSED_OPCODES } from './opcodes.ts';
import { readNullType } from './value-type.ts';

/** `i32.add`, `i32.sub`, `i32.mul` and their `i64` kin: what extended constant expressions added. */
const EXTENDED: readonly number[] = [0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e];
const V128_CONST = 0x0c;

/**
 * Reads an initialiser: one constant and `end`. `global.get` is refused too: in the profile it may only read imported
 * globals (specification 2.0, §3.3.10), of which there are none.
 */
export function readConstantExpression(reader: ByteReader, shape: ModuleShape): void {
  readConstant(reader, shape);
  const at = reader.at;
  const opcode = readByte(reader);
  if (opcode !== OPCODE.end) throw refuseFeature('extended constant expressions', at);
}

function readConstant(reader: ByteReader, shape: ModuleShape): void {
  const at = reader.at;
  const opcode = readByte(reader);
  switch (opcode) {
    case OPCODE.i32Const:
      return skipS32(reader);
    case OPCODE.i64Const:
      return skipS64(reader);
    case OPCODE.f32Const:
      return skipBytes(reader, 4);
    case OPCODE.f64Const:
      return skipBytes(reader, 8);
    case OPCODE.refNull:
      readNullType(reader);
      return;
    case OPCODE.refFunc:
      readIndex(reader, 'function', shape.functionTypes.length);
      return;
    case OPCODE.simd:
      if (readByte(reader) !== V128_CONST) throw malformedAt(at, 'an initialiser is not constant');
      return skipBytes(reader, 16);
    default:
      if (opcode === OPCODE.globalGet || EXTENDED.includes(opcode)) throw refuseFeature('extended constant expressions', at);
      throw REFUSED_OPCODES[opcode] === undefined
        ? malformedAt(at, 'an initialiser is not constant')
        : refuseFeature(REFUSED_OPCODES[opcode], at);
  }
}
