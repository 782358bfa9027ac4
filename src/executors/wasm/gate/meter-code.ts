import { createReader, GateRefusal } from './byte-reader.ts';
import { clearWriter, createWriter, writeBytes, writeRange, writeU32, writtenBytes, type ByteWriter } from './byte-writer.ts';
import { createChargeCode, type ChargeCode } from './charge-code.ts';
import { CHARGE, createPlan, type FunctionPlan } from './function-plan.ts';
import { GATE_LIMITS } from './gate-limits.ts';
import type { ModuleShape } from './module-shape.ts';
import { walkFunction } from './walk-function.ts';

const I32 = 0x7f;

/** The new content of the code section, or why there is none. */
export type MeteredCode = { readonly ok: true; readonly code: Uint8Array } | { readonly ok: false; readonly problems: string[] };

/** Walks every function and writes it again with its charges; tells the problems of every function, one each. */
export function meterCode(bytes: Uint8Array, shape: ModuleShape): MeteredCode {
  const sizeHint = Math.ceil(bytes.byteLength * 1.3);
  const output = createWriter({ what: 'metered code', maxBytes: GATE_LIMITS.meteredModuleBytes, sizeHint });
  const body = createWriter({ what: 'a metered function', maxBytes: GATE_LIMITS.meteredFunctionBytes, sizeHint: 4_096 });
  const chargeCode = createChargeCode(shape.globals);
  const reader = createReader(bytes);
  const plan = createPlan();
  const typeValues = shape.types.map(({ params, results }) => params.length + results.length);
  const bounds = {
    typeValues,
    functionValues: shape.functionTypes.map((type) => typeValues[type] ?? 0),
    tables: shape.tables.length,
    globals: shape.globals,
    elementSegments: shape.elementSegments,
    dataSegments: shape.dataCount ?? 0,
  };
  const problems = new Set<string>();
  let refusals = 0;
  writeU32(output, shape.functionBodies.length);
  for (const [number, range] of shape.functionBodies.entries()) {
    const index = shape.importedFunctions + number;
    reader.at = range.start;
    reader.end = range.end;
    try {
      walkFunction(reader, { bounds, fn: { index, params: countParams(shape, index) }, plan });
      if (problems.size > 0) continue;
      clearWriter(body);
      writeFunction(body, bytes, { plan, chargeCode, end: range.end });
      writeU32(output, body.length);
      writeRange(output, body.bytes, { start: 0, end: body.length });
    } catch (error) {
      if (!(error instanceof GateRefusal)) throw error;
      problems.add(error.message);
      refusals += 1;
      if (refusals >= GATE_LIMITS.problems) break;
    }
  }
  return problems.size > 0 ? { ok: false, problems: [...problems] } : { ok: true, code: writtenBytes(output) };
}

const countParams = (shape: ModuleShape, index: number): number => shape.types[shape.functionTypes[index] ?? -1]?.params.length ?? 0;

interface WriteOptions {
  readonly plan: FunctionPlan;
  readonly chargeCode: ChargeCode;
  /** Where the function’s body ends in the source. */
  readonly end: number;
}

function writeFunction(writer: ByteWriter, source: Uint8Array, { plan, chargeCode, end }: WriteOptions): void {
  const needsScratch = plan.chargeKind.some((kind) => kind !== CHARGE.region && kind !== CHARGE.growMemory);
  writeU32(writer, plan.localGroups + (needsScratch ? 1 : 0));
  writeRange(writer, source, { start: plan.localsStart, end: plan.codeStart });
  if (needsScratch) writeBytes(writer, [1, I32]);
  chargeCode.writeStatic(writer, plan.regionCosts[0] ?? 0);
  let copied = plan.codeStart;
  for (const [charge, at] of plan.chargeAt.entries()) {
    writeRange(writer, source, { start: copied, end: at });
    copied = at;
    const kind = plan.chargeKind[charge] ?? CHARGE.none;
    if (kind === CHARGE.region) chargeCode.writeStatic(writer, plan.regionCosts[plan.chargeRegion[charge] ?? 0] ?? 0);
    else chargeCode.writeDynamic(writer, kind, plan.locals);
  }
  writeRange(writer, source, { start: copied, end });
}
