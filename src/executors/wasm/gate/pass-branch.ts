import { malformedAt, readByte, readCount, readU32, type ByteReader } from './byte-reader.ts';
import type { FunctionPlan } from './function-plan.ts';
import { GATE_LIMITS } from './gate-limits.ts';
import { readValType } from './value-type.ts';

const EMPTY_BLOCK = 0x40;

/**
 * Passes over the type of a block: empty, one value type, or the index of a function type (specification §5.4.1).
 * Returns how many values the block takes and gives; `typeValues` says it of each type.
 */
export function passBlockType(reader: ByteReader, typeValues: readonly number[]): number {
  const at = reader.at;
  const first = readByte(reader);
  if (first === EMPTY_BLOCK) return 0;
  reader.at = at;
  if (first > EMPTY_BLOCK && first < 0x80) {
    readValType(reader);
    return 1;
  }
  // A type index is a signed 33-bit number here; one that ends in a byte with bit 6 set is negative.
  const index = readU32(reader);
  const isNegative = reader.at - at < 5 && (reader.view.getUint8(reader.at - 1) & 0x40) !== 0;
  const values = isNegative ? undefined : typeValues[index];
  if (values === undefined) throw malformedAt(at, 'the type of a block does not exist');
  return values;
}

/** Passes over a label and returns how many values its block takes and gives. */
export function passLabel(reader: ByteReader, plan: FunctionPlan, depth: number): number {
  const label = readU32(reader);
  if (label > depth) throw malformedAt(reader.at, 'a branch leads out of the function');
  return plan.frameValues[depth - label] ?? 0;
}

/** Passes over the labels of `br_table` and returns the values of all of them. */
export function passLabels(reader: ByteReader, plan: FunctionPlan, depth: number): number {
  const count = readCount(reader, 'targets in a br_table', GATE_LIMITS.branchTargets);
  let values = 0;
  for (let target = 0; target <= count; target++) values += passLabel(reader, plan, depth);
  return values;
}
