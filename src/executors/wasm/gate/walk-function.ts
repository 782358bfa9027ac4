import { GateRefusal, malformedAt, readByte, readCount, readIndex, readU32, type ByteReader } from './byte-reader.ts';
import { addCharge, addCost, addValuesMoved, CHARGE, clearPlan, type FunctionPlan } from './function-plan.ts';
import { GATE_LIMITS } from './gate-limits.ts';
import { FOLLOWS, OPCODE_FOLLOWS } from './opcodes.ts';
import { passImmediate, passIndirect, type CodeBounds } from './pass-immediate.ts';
import { passBlockType, passLabel, passLabels } from './pass-branch.ts';
import { passBulk, passSimd } from './pass-prefixed.ts';
import { readValType } from './value-type.ts';

/** Locals that an engine clears about as quickly as it runs one instruction. */
const LOCALS_PER_UNIT = 8;

/** The function that is walked: its index for messages, and its parameters, which are its first locals. */
export interface WalkedFunction {
  readonly index: number;
  readonly params: number;
}

/**
 * Walks every instruction of one function body and plans its charges. An instruction belongs to the innermost loop
 * around it, or to the function; a region is paid for at its head, whole, so that no cycle is free.
 * `reader` stands at the body and ends with it. Throws a `GateRefusal`.
 */
export function walkFunction(
  reader: ByteReader,
  { bounds, fn, plan }: { bounds: CodeBounds; fn: WalkedFunction; plan: FunctionPlan },
): void {
  clearPlan(plan);
  const locals = readLocals(reader, plan, fn);
  plan.frameValues[0] = bounds.functionValues[fn.index] ?? 0;
  plan.regionCosts.push(Math.ceil(locals / LOCALS_PER_UNIT));
  let region = 0;
  let cost = 0;
  let depth = 0;
  for (;;) {
    const at = reader.at;
    const opcode = readByte(reader);
    const follows = OPCODE_FOLLOWS[opcode] ?? FOLLOWS.refused;
    cost += 1;
    switch (follows) {
      case FOLLOWS.nothing:
        break;
      case FOLLOWS.local:
        if (readU32(reader) >= locals) throw malformedAt(at, 'a local does not exist');
        break;
      case FOLLOWS.label:
        addValuesMoved(plan, passLabel(reader, plan, depth));
        break;
      case FOLLOWS.labels:
        addValuesMoved(plan, passLabels(reader, plan, depth));
        break;
      case FOLLOWS.leave:
        addValuesMoved(plan, plan.frameValues[0] ?? 0);
        break;
      case FOLLOWS.func:
        addValuesMoved(plan, bounds.functionValues[readIndex(reader, 'function', bounds.functionValues.length)] ?? 0);
        break;
      case FOLLOWS.typeAndTable:
        addValuesMoved(plan, passIndirect(reader, bounds));
        break;
      case FOLLOWS.blockType:
      case FOLLOWS.loopType: {
        const values = passBlockType(reader, bounds.typeValues);
        addValuesMoved(plan, values);
        if (depth >= GATE_LIMITS.blockDepth) {
          throw new GateRefusal(`WASM module nests blocks more than ${GATE_LIMITS.blockDepth} deep in function ${fn.index}`);
        }
        plan.frames[depth++] = region;
        plan.frameValues[depth] = values;
        if (follows === FOLLOWS.loopType) {
          addCost(plan, region, cost);
          cost = 0;
          region = plan.regionCosts.push(0) - 1;
          addCharge(plan, { at: reader.at, kind: CHARGE.region, region });
        }
        break;
      }
      case FOLLOWS.end: {
        if (depth === 0) {
          if (reader.at !== reader.end) throw malformedAt(reader.at, 'a function goes on after its end');
          addCost(plan, region, cost);
          return;
        }
        const outer = plan.frames[--depth] ?? 0;
        if (outer !== region) {
          addCost(plan, region, cost);
          cost = 0;
          region = outer;
        }
        break;
      }
      case FOLLOWS.growMemory:
        passImmediate(reader, bounds, { opcode, follows, at });
        addCharge(plan, { at, kind: CHARGE.growMemory, region });
        break;
      case FOLLOWS.bulk: {
        const kind = passBulk(reader, bounds);
        if (kind !== CHARGE.none) addCharge(plan, { at, kind, region });
        break;
      }
      case FOLLOWS.simd:
        passSimd(reader);
        break;
      default:
        passImmediate(reader, bounds, { opcode, follows, at });
    }
  }
}

function readLocals(reader: ByteReader, plan: FunctionPlan, fn: WalkedFunction): number {
  plan.localGroups = readCount(reader, 'groups of locals in a function', GATE_LIMITS.locals);
  plan.localsStart = reader.at;
  plan.locals = fn.params;
  for (let group = 0; group < plan.localGroups; group++) {
    plan.locals += readU32(reader);
    if (plan.locals > GATE_LIMITS.locals) {
      throw new GateRefusal(`WASM module has ${plan.locals} locals in function ${fn.index}: the limit is ${GATE_LIMITS.locals}`);
    }
    readValType(reader);
  }
  plan.localsTogether += plan.locals;
  if (plan.localsTogether > GATE_LIMITS.localsTogether) {
    throw new GateRefusal(`WASM module has more than ${GATE_LIMITS.localsTogether} locals in all its functions`);
  }
  plan.codeStart = reader.at;
  return plan.locals;
}
