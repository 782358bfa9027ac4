import { GateRefusal } from './byte-reader.ts';
import { GATE_LIMITS } from './gate-limits.ts';

/** What is charged at a place: a region’s static cost, or what an instruction does at run time. */
export const CHARGE = { none: 0, region: 1, copyMemory: 2, fillMemory: 3, tableEntries: 4, growTable: 5, growMemory: 6 } as const;

/** Where one function is charged how much. Reused from function to function, as it is filled by the million. */
export interface FunctionPlan {
  /** Number of local groups, where they start, and where the code after them starts. */
  localGroups: number;
  localsStart: number;
  codeStart: number;
  /** Parameters and locals: the index that one more local would have. */
  locals: number;
  /** Static cost per region; 0 is the function outside all loops, every loop opens another. */
  regionCosts: number[];
  /** Charges in order of place; for `CHARGE.region` the region is in `chargeRegion`. */
  chargeAt: number[];
  chargeKind: number[];
  chargeRegion: number[];
  /** Region that is current again after the end of each open block. */
  readonly frames: Int32Array;
  /** Values that each open block takes and gives. */
  readonly frameValues: Int32Array;
  /** Locals, and values moved, of all functions so far. */
  localsTogether: number;
  valuesMoved: number;
}

/** Makes an empty plan. */
export function createPlan(): FunctionPlan {
  return {
    localGroups: 0,
    localsStart: 0,
    codeStart: 0,
    locals: 0,
    regionCosts: [],
    chargeAt: [],
    chargeKind: [],
    chargeRegion: [],
    frames: new Int32Array(GATE_LIMITS.blockDepth),
    frameValues: new Int32Array(GATE_LIMITS.blockDepth + 1),
    localsTogether: 0,
    valuesMoved: 0,
  };
}

/** Counts values that an instruction moves; throws a `GateRefusal` when all of them together are too many to check. */
export function addValuesMoved(plan: FunctionPlan, values: number): void {
  plan.valuesMoved += values;
  if (plan.valuesMoved > GATE_LIMITS.valuesMoved) {
    throw new GateRefusal(`WASM module moves more than ${GATE_LIMITS.valuesMoved} values through its calls, blocks and branches`);
  }
}

/** Empties a plan for the next function. */
export function clearPlan(plan: FunctionPlan): void {
  plan.regionCosts.length = 0;
  plan.chargeAt.length = 0;
  plan.chargeKind.length = 0;
  plan.chargeRegion.length = 0;
}

/** Notes a charge. */
export function addCharge(plan: FunctionPlan, { at, kind, region }: { at: number; kind: number; region: number }): void {
  plan.chargeAt.push(at);
  plan.chargeKind.push(kind);
  plan.chargeRegion.push(region);
}

/** Adds to a region’s static cost. */
export function addCost(plan: FunctionPlan, region: number, cost: number): void {
  plan.regionCosts[region] = (plan.regionCosts[region] ?? 0) + cost;
}
