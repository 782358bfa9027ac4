import { writeByte, writeBytes, writePositiveS64, writeU32, type ByteWriter } from './byte-writer.ts';
import { CHARGE } from './function-plan.ts';
import { OPCODE } from './opcodes.ts';

/** What an instruction that works on a run of things costs: `constant`, and the length of the run, scaled. */
interface DynamicCost {
  readonly constant: number;
  /** How the length is scaled: by `i64.shr_u` or `i64.shl`, by that many bits. */
  readonly scale: readonly [opcode: number, bits: number];
}

/**
 * Measured on V8, where a unit is about 0.1 ns: eight bytes of memory take one, the call that `memory.fill` is takes
 * 140 ns whatever its length, and a table entry 13 to 21 ns.
 */
const DYNAMIC_COSTS: Readonly<Record<number, DynamicCost>> = {
  [CHARGE.copyMemory]: { constant: 64, scale: [OPCODE.i64ShrU, 3] },
  [CHARGE.fillMemory]: { constant: 1_000, scale: [OPCODE.i64ShrU, 3] },
  [CHARGE.tableEntries]: { constant: 1_000, scale: [OPCODE.i64Shl, 7] },
  [CHARGE.growTable]: { constant: 10_000, scale: [OPCODE.i64Shl, 7] },
};
/** Growing is a call of the system, even by nothing (sandbox.md §A, “Fuel”). */
const GROW_MEMORY_COST = 10_000;

const EMPTY_BLOCK = 0x40;

/** Writes the instructions that take fuel and trap when there is none. All leave the operand stack as it was. */
export interface ChargeCode {
  /** Charges a fixed cost. */
  writeStatic(writer: ByteWriter, cost: number): void;
  /** Charges, before it runs, for an instruction of that `CHARGE`, whose operand on top says how much it does. */
  writeDynamic(writer: ByteWriter, kind: number, scratchLocal: number): void;
}

/** Makes the charge code for a module whose fuel is the mutable `i64` global of that index. */
export function createChargeCode(fuelGlobal: number): ChargeCode {
  const index = encodeU32(fuelGlobal);
  const takeFuel = [OPCODE.globalGet, ...index, OPCODE.i64Const];
  const payAndCheck = [
    OPCODE.i64Sub,
    OPCODE.globalSet,
    ...index,
    OPCODE.globalGet,
    ...index,
    OPCODE.i64Const,
    0,
    OPCODE.i64LtS,
    OPCODE.if,
    EMPTY_BLOCK,
    OPCODE.unreachable,
    OPCODE.end,
  ];

  const writeStatic = (writer: ByteWriter, cost: number): void => {
    writeBytes(writer, takeFuel);
    writePositiveS64(writer, cost);
    writeBytes(writer, payAndCheck);
  };
  return {
    writeStatic,
    writeDynamic(writer, kind, scratchLocal) {
      const dynamic = DYNAMIC_COSTS[kind];
      if (dynamic === undefined) return writeStatic(writer, GROW_MEMORY_COST);
      const [opcode, bits] = dynamic.scale;
      writeByte(writer, OPCODE.localTee);
      writeU32(writer, scratchLocal);
      writeBytes(writer, takeFuel);
      writePositiveS64(writer, dynamic.constant);
      writeBytes(writer, [OPCODE.i64Sub, OPCODE.localGet]);
      writeU32(writer, scratchLocal);
      writeBytes(writer, [OPCODE.i64ExtendI32U, OPCODE.i64Const, bits, opcode]);
      writeBytes(writer, payAndCheck);
    },
  };
}

function encodeU32(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}
