import { describe, expect, test } from 'vitest';

import { AZ_IMPORTS } from '../../../../../src/executors/wasm/az-imports.ts';
import { gateModule, type GatedModule } from '../../../../../src/executors/wasm/gate/gate.ts';
import { assembleWat, countCustomSections, instantiateWasm, listWasmImports, loadWasmFixture } from '../../../../helpers/wasm-fixture.ts';

const MEBIBYTE = 1024 * 1024;
const OPTIONS = { memoryBytes: 64 * MEBIBYTE };

function accept(bytes: Uint8Array, options = OPTIONS): GatedModule {
  const result = gateModule(bytes, options);
  if (!result.ok) throw new Error(result.problems.join('; '));
  return result.module;
}

function refuse(bytes: Uint8Array, options = OPTIONS): string[] {
  const result = gateModule(bytes, options);
  return result.ok ? [] : result.problems;
}

const only = 'compile it without this feature';

describe('gateModule() refuses', () => {
  test.for<[fixture: string, ...problems: string[]]>([
    ['imports-env-abort', 'WASM module has undeclared imports (only az::* allowed): env::abort'],
    [
      'imports-wasi',
      'WASM module has undeclared imports (only az::* allowed): wasi_snapshot_preview1::fd_write',
      'WASM module is built for WASI, which plugins do not get: build it for wasm32-unknown-unknown and use the az::* imports',
    ],
    ['imports-global', 'WASM module imports az::fuel as a global: only functions can be imported'],
    ['imports-memory', 'WASM module imports az::memory as a memory: only functions can be imported'],
    ['imports-table', 'WASM module imports az::table as a table: only functions can be imported'],
    [
      'imports-unknown',
      'WASM module imports az::exec, which does not exist: there are read_file, write_file, append_file, list_dir, create_dir, file_exists, now, log, http_request, run_command',
    ],
    ['imports-wrong-signature', 'WASM module imports az::read_file as (i32) -> i64: wanted (i32, i32) -> i64'],
    [
      'imports-old-log',
      'WASM module imports az::az_log of the older plugin ABI: rebuild it for the present one, whose entry is run and whose log is az::log',
    ],
    [
      'exports-old-abi',
      'WASM module is built for the older plugin ABI, as its export az_tool_execute shows: rebuild it for the present one, with run and alloc',
    ],
    ['exports-memory-function', 'WASM module exports memory as a function: wanted its memory'],
    ['runs-without-alloc', 'WASM module exports run without alloc: wanted the function alloc (i32) -> i32'],
    ['runs-with-wrong-alloc', 'WASM module exports alloc as () -> i32: wanted the function alloc (i32) -> i32'],
    ['runs-without-memory', 'WASM module exports run without memory: wanted its memory as the export memory'],
    [
      'wants-64-mib-and-a-page',
      'WASM module wants 1025 pages of memory (67174400 bytes) at its start: the limit is 1024 pages (67108864 bytes)',
    ],
    ['wants-large-table', 'WASM module wants 65537 table entries at its start: the limit is 65536'],
    ['wants-tables-together', 'WASM module wants 80000 table entries at its start: the limit is 65536'],
    ['uses-64-bit-memory', `WASM module uses 64-bit memories (at byte 11): ${only}`],
    ['uses-shared-memory', `WASM module uses threads (shared memories) (at byte 11): ${only}`],
    ['uses-atomics', `WASM module uses threads (atomic instructions) (at byte 42): ${only}`],
    ['uses-exceptions', `WASM module uses exception handling (at byte 18): ${only}`],
    ['uses-try', `WASM module uses exception handling (at byte 35): ${only}`],
    ['uses-tail-calls', `WASM module uses tail calls (at byte 35): ${only}`],
    ['uses-extended-constants', `WASM module uses extended constant expressions (at byte 15): ${only}`],
    ['uses-global-in-initialiser', `WASM module uses extended constant expressions (at byte 24): ${only}`],
    ['uses-relaxed-simd', `WASM module uses relaxed SIMD (at byte 72): ${only}`],
  ])('%s', async ([fixture, ...problems]) => {
    expect(refuse(await loadWasmFixture(fixture))).toEqual(problems);
  });

  test('with every problem that it finds', async () => {
    const bytes = await assembleWat(`(module
      (import "env" "one" (func)) (import "js" "two\\0a" (func)) (import "az" "now" (func (result i32)))
      (memory 2000)
      (func (export "run") (param i32 i32) (result i64) (i64.const 0))
      (func $tail (return_call $tail))
      (func (drop (i32.atomic.load (i32.const 0)))))`);
    expect(refuse(bytes)).toEqual([
      String.raw`WASM module has undeclared imports (only az::* allowed): env::one, js::two\u{a}`,
      'WASM module imports az::now as () -> i32: wanted () -> i64',
      'WASM module exports run without alloc: wanted the function alloc (i32) -> i32',
      'WASM module exports run without memory: wanted its memory as the export memory',
      'WASM module wants 2000 pages of memory (131072000 bytes) at its start: the limit is 1024 pages (67108864 bytes)',
      expect.stringMatching(/^WASM module uses tail calls \(at byte \d+\)/),
      expect.stringMatching(/^WASM module uses threads \(atomic instructions\) \(at byte \d+\)/),
    ]);
  });

  test('a memory above a smaller cap, and every memory under a cap that is no number', async () => {
    const bytes = await loadWasmFixture('echo');
    expect(refuse(bytes, { memoryBytes: 65_535 })).toEqual([
      'WASM module wants 1 pages of memory (65536 bytes) at its start: the limit is 0 pages (0 bytes)',
    ]);
    expect(refuse(bytes, { memoryBytes: Number.NaN })).toHaveLength(1);
    expect(refuse(bytes, { memoryBytes: 65_536 })).toEqual([]);
  });

  test('at most ten undeclared imports by name and twenty problems', async () => {
    const many = Array.from({ length: 30 }, (_, index) => `(import "m" "f${index}" (func)) (import "az" "g${index}" (func))`);
    const problems = refuse(await assembleWat(`(module ${many.join('\n')})`));
    expect(problems).toHaveLength(21);
    expect(problems[0]).toMatch(/m::f9 and 20 more$/);
    expect(problems.at(-1)).toBe('WASM module has 11 further problems');
  });
});

describe('gateModule() chooses the entry', () => {
  test.for([
    ['echo', 'run', true, true],
    ['falls-back-to-start', '_start', false, false],
    ['falls-back-to-main', 'main', false, false],
    ['exports-nothing', 'none', false, false],
  ] as const)('of %s: %s', async ([fixture, entry, hasAlloc, hasMemory]) => {
    expect(accept(await loadWasmFixture(fixture))).toMatchObject({ entry, hasAlloc, hasMemory, fuelExport: '__az_fuel' });
  });
});

describe('gateModule() rewrites', () => {
  test('imports as they are, and lists them with their signatures', async () => {
    const module = accept(await loadWasmFixture('imports-everything'));
    expect(module.imports).toEqual(Object.entries(AZ_IMPORTS).map(([name, signature]) => ({ module: 'az', name, ...signature })));
    expect(listWasmImports(module.bytes).map(({ name }) => name)).toEqual(Object.keys(AZ_IMPORTS));
  });

  test.for([
    ['(memory (export "memory") 1)', 1024],
    ['(memory (export "memory") 1 2)', 2],
    ['(memory (export "memory") 1 65536)', 1024],
    ['(memory (export "memory") 1024)', 1024],
  ] as const)('the maximum of %s to %s pages', async ([text, maxPages]) => {
    const { bytes, memory } = accept(await assembleWat(`(module ${text})`));
    expect(memory?.maxPages).toBe(maxPages);
    const real = instantiateWasm(bytes).memory();
    real.grow(maxPages - (memory?.minPages ?? 0));
    expect(() => real.grow(1)).toThrow(RangeError);
  });

  test.for([
    ['(table (export "table") 1 funcref)', 65_536],
    ['(table (export "table") 1 3 externref)', 3],
    ['(table (export "table") 1 4000000 funcref)', 65_536],
  ] as const)('the maximum of %s to %s entries', async ([text, max]) => {
    const { bytes } = accept(await assembleWat(`(module ${text})`));
    const table = instantiateWasm(bytes).table('table');
    table.grow(max - 1);
    expect(() => table.grow(1)).toThrow(RangeError);
  });

  test('the start function into an export under a name that is free', async () => {
    const module = accept(await loadWasmFixture('counts-in-start'));
    expect(module).toMatchObject({ startExport: '__az_start_1', fuelExport: '__az_fuel_1' });
    const running = instantiateWasm(module.bytes);
    const started = running.global('__az_start');
    expect(started.value).toBe(0);
    running.global('__az_fuel_1').value = 1_000n;
    running.call('__az_start_1');
    expect(started.value).toBe(1);
  });

  test('custom sections away', async () => {
    const bytes = await loadWasmFixture('echo');
    const custom = new Uint8Array([...bytes, 0, 6, 4, ...Buffer.from('name'), 0]);
    expect(countCustomSections(custom, 'name')).toBe(1);
    expect(accept(custom).bytes).toEqual(accept(bytes).bytes);
  });

  test('the same module to the same bytes, and leaves what it was given alone', async () => {
    const bytes = await loadWasmFixture('computes');
    const before = bytes.slice();
    expect(accept(bytes).bytes).toEqual(accept(bytes).bytes);
    expect(bytes).toEqual(before);
  });

  test('a module that lies within a larger buffer', async () => {
    const bytes = await loadWasmFixture('echo');
    const larger = new Uint8Array(bytes.byteLength + 20).fill(0xff);
    larger.set(bytes, 7);
    expect(accept(larger.subarray(7, 7 + bytes.byteLength)).bytes).toEqual(accept(bytes).bytes);
  });
});
