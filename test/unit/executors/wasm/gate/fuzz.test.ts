import { readdirSync } from 'node:fs';

import asc from 'assemblyscript/asc';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';

import { gateModule } from '../../../../../src/executors/wasm/gate/gate.ts';
import {
  encodeInstructions,
  encodeModule,
  instantiateWasm,
  listWasmExports,
  loadWasmFixture,
  sized,
  type WasmInstance,
} from '../../../../helpers/wasm-fixture.ts';

const OPTIONS = { memoryBytes: 64 * 1024 * 1024 };
const FIXTURES = new URL('../../../../fixtures/wasm/', import.meta.url);
const SEED = 20260721;

let modules: Uint8Array<ArrayBuffer>[] = [];

/** A guest with strings, maps and the runtime of its language, as a person would write it. */
const ASSEMBLYSCRIPT = `
export function alloc(size: i32): i32 { return heap.alloc(size) as i32; }
export function run(pointer: i32, length: i32): i64 {
  const words = String.UTF8.decodeUnsafe(pointer, length).split(" ");
  const counts = new Map<string, i32>();
  for (let i = 0; i < words.length; i++) counts.set(words[i], counts.has(words[i]) ? counts.get(words[i]) + 1 : 1);
  const keys = counts.keys();
  keys.sort();
  let text = "";
  for (let i = 0; i < keys.length; i++) text += keys[i] + "=" + counts.get(keys[i]).toString() + ";";
  const output = String.UTF8.encode(text);
  return ((changetype<usize>(output) as i64) << 32) | (output.byteLength as i64);
}`;

async function compileAssemblyScript(...flags: string[]): Promise<Uint8Array<ArrayBuffer>> {
  const written = new Map<string, Uint8Array>();
  const { error } = await asc.main(['guest.ts', '--outFile', 'guest.wasm', '--use', 'abort=', ...flags], {
    readFile: (name) => (name === 'guest.ts' ? ASSEMBLYSCRIPT : null),
    writeFile: (name, contents) => {
      if (typeof contents !== 'string') written.set(name, contents);
    },
    listFiles: () => [],
  });
  if (error) throw error;
  return new Uint8Array(written.get('guest.wasm') ?? []);
}

beforeAll(async () => {
  const names = readdirSync(FIXTURES).map((file) => file.replace(/\.wat$/, ''));
  modules = await Promise.all(names.map((name) => loadWasmFixture(name)));
  modules.push(await compileAssemblyScript('-O3'), await compileAssemblyScript('-O0', '--enable', 'simd'));
});

/** What must hold for any bytes: an answer, and both validators' consent to what is let through. */
function checkAnswer(bytes: Uint8Array): boolean {
  const copy = new Uint8Array(bytes);
  const result = gateModule(copy, OPTIONS);
  if (!result.ok) {
    expect(result.problems.length).toBeGreaterThan(0);
    for (const problem of result.problems) {
      expect(problem).toMatch(/^WASM (?:file|module) \P{Cc}+[^.]$/u);
      expect(problem).not.toContain('cannot be metered');
    }
    return false;
  }
  expect(WebAssembly.validate(copy)).toBe(true);
  const rewritten = new Uint8Array(result.module.bytes);
  expect(WebAssembly.validate(rewritten)).toBe(true);
  expect(listWasmExports(rewritten)).toContainEqual({ name: result.module.fuelExport, kind: 'global' });
  return true;
}

test('gateModule() never throws for random bytes behind a header', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, hasHeader) => {
      checkAnswer(hasHeader ? encodeModule([...bytes]) : bytes);
    }),
    { numRuns: 3_000, seed: SEED },
  );
});

test('gateModule() never throws for sections of random content', () => {
  const section = fc
    .tuple(fc.uint8Array({ maxLength: 24 }), fc.integer({ min: 0, max: 14 }))
    .map(([content, id]) => sized([...content], id));
  fc.assert(
    fc.property(fc.array(section, { maxLength: 8 }), (sections) => void checkAnswer(encodeModule(...sections))),
    { numRuns: 3_000, seed: SEED },
  );
});

test('gateModule() lets nothing through that the engine refuses, of random instructions', () => {
  // Plausible bytes, so that many are nearly right: control, locals, constants, bulk memory and small numbers.
  const byte = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom(0, 1, 2, 3, 4, 5, 0x0b, 0x0c, 0x0d, 0x1a, 0x20, 0x21, 0x23, 0x24, 0x40, 0x41, 0x42, 0x6a, 0xfc, 0xfd),
    },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 16 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 12 }), (instructions) => void checkAnswer(encodeInstructions([0, ...instructions, 0]))),
    { numRuns: 20_000, seed: SEED },
  );
});

test('gateModule() lets nothing through that the engine refuses, of changed modules', () => {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    byte: fc.integer({ min: 0, max: 255 }),
    kind: fc.constantFrom('set', 'insert', 'drop', 'cut'),
  });
  let accepted = 0;
  fc.assert(
    fc.property(fc.nat(), fc.array(change, { minLength: 1, maxLength: 3 }), (which, changes) => {
      const bytes = [...(modules[which % (modules.length - 2)] ?? [])];
      for (const { at, byte, kind } of changes) {
        const index = Math.floor(at * bytes.length);
        if (kind === 'set') bytes[index] = byte;
        else if (kind === 'insert') bytes.splice(index, 0, byte);
        else if (kind === 'drop') bytes.splice(index, 1);
        else if (at > 0.9) bytes.length = index;
      }
      if (checkAnswer(new Uint8Array(bytes))) accepted += 1;
    }),
    { numRuns: 15_000, seed: SEED },
  );
  expect(accepted).toBeGreaterThan(500);
});

test('gateModule() lets nothing through that the engine refuses, of a changed real module', () => {
  const bytes = modules.at(-2) ?? new Uint8Array();
  fc.assert(
    fc.property(fc.nat(bytes.byteLength - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const changed = bytes.slice();
      changed[at] = byte;
      checkAnswer(changed);
    }),
    { numRuns: 1_500, seed: SEED },
  );
});

test('gateModule() refuses every beginning of a module', async () => {
  const bytes = await loadWasmFixture('computes');
  const accepted: number[] = [];
  for (let size = 0; size < bytes.byteLength; size++) if (checkAnswer(bytes.subarray(0, size))) accepted.push(size);
  // Only what ends exactly where no section is needed any more is a module of its own.
  for (const size of accepted) expect(WebAssembly.validate(bytes.slice(0, size))).toBe(true);
  expect(accepted.length).toBeLessThan(10);
});

test('gateModule() accepts every real module, which then does what it did', () => {
  for (const bytes of modules.slice(-2)) {
    const result = gateModule(bytes, OPTIONS);
    if (!result.ok) throw new Error(result.problems.join('; '));
    expect(result.module).toMatchObject({ entry: 'run', hasAlloc: true, hasMemory: true });
    expect(result.module.bytes.byteLength).toBeLessThan(bytes.byteLength * 1.3);
    const text = 'to be or not to be that is the question '.repeat(200);
    const metered = instantiateWasm(result.module.bytes);
    metered.global(result.module.fuelExport).value = 10n ** 12n;
    if (result.module.startExport !== undefined) metered.call(result.module.startExport);
    expect(callText(metered, text)).toBe(callText(instantiateWasm(bytes), text));
  }
});

/** One call of the present ABI: text in, text out. */
function callText(instance: WasmInstance, text: string): string {
  const input = new TextEncoder().encode(text);
  const pointer = Number(instance.call('alloc', input.byteLength));
  new Uint8Array(instance.memory().buffer).set(input, pointer);
  const packed = BigInt.asUintN(64, instance.call('run', pointer, input.byteLength) as bigint);
  return new TextDecoder().decode(new Uint8Array(instance.memory().buffer, Number(packed >> 32n), Number(packed & 0xffffffffn)));
}
