import { describe, expect, test } from 'vitest';

import { gateModule, type GatedModule } from '../../../../../src/executors/wasm/gate/gate.ts';
import { instantiateWasm, loadWasmFixture, type WasmInstance } from '../../../../helpers/wasm-fixture.ts';

const IMPORTS = { az: { now: () => 0n } };

function accept(bytes: Uint8Array): GatedModule {
  const result = gateModule(bytes, { memoryBytes: 64 * 1024 * 1024 });
  if (!result.ok) throw new Error(result.problems.join('; '));
  return result.module;
}

interface Running extends WasmInstance {
  fuel(): bigint;
}

function start(module: GatedModule, fuel: bigint): Running {
  const instance = instantiateWasm(module.bytes, IMPORTS);
  instance.global(module.fuelExport).value = fuel;
  return { ...instance, fuel: () => BigInt(String(instance.global(module.fuelExport).value)) };
}

/** The value or the trap, whichever came. */
function outcomeOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return String(error);
  }
}

const PLENTY = 10n ** 15n;

describe('gateModule() keeps what a program does', () => {
  test('for every export of computes.wat, in one instance and in order, values and traps', async () => {
    const bytes = await loadWasmFixture('computes');
    const plain = instantiateWasm(bytes);
    const metered = start(accept(bytes), PLENTY);
    const names = plain.functionNames;
    expect(names).toHaveLength(15);
    let traps = 0;
    for (let argument = 0; argument < 12; argument++) {
      for (const name of names) {
        const wanted = outcomeOf(() => plain.call(name, argument));
        expect({ name, argument, got: outcomeOf(() => metered.call(name, argument)) }).toEqual({ name, argument, got: wanted });
        traps += typeof wanted === 'string' ? 1 : 0;
      }
    }
    expect(traps).toBeGreaterThan(3);
    expect(bytesOf(metered).equals(bytesOf(plain))).toBe(true);
  });

  test('for the imports, whose indices stay', async () => {
    const metered = start(accept(await loadWasmFixture('calls-host-forever')), 1_000n);
    expect(() => metered.call('run', 0, 0)).toThrow('unreachable');
  });
});

const bytesOf = (instance: WasmInstance): Buffer => Buffer.from(instance.memory().buffer);

describe('gateModule() makes fuel', () => {
  test('the same for the same work', async () => {
    const module = accept(await loadWasmFixture('computes'));
    const uses = [1, 2, 3].map(() => {
      const running = start(module, PLENTY);
      running.call('sieve', 9);
      running.call('fib', 12);
      running.call('bulk', 9);
      return PLENTY - running.fuel();
    });
    expect(new Set(uses).size).toBe(1);
    expect(uses[0]).toBeGreaterThan(10_000n);
  });

  test('depend on what is done', async () => {
    const module = accept(await loadWasmFixture('computes'));
    const useOf = (name: string, argument: number): bigint => {
      const running = start(module, PLENTY);
      outcomeOf(() => running.call(name, argument));
      return PLENTY - running.fuel();
    };
    expect(useOf('fib', 12)).toBeGreaterThan(useOf('fib', 11));
    expect(useOf('bulk-out-of-bounds', 80_000) - useOf('bulk-out-of-bounds', 0)).toBe(10_000n);
    expect(useOf('bulk-out-of-bounds', -1)).toBeGreaterThan(2n ** 29n);
    expect(useOf('grow', 0)).toBeGreaterThan(10_000n);
    expect(useOf('tables', 1)).toBeGreaterThan(10_000n);
    expect(useOf('state', 1)).toBeLessThan(20n);
  });

  test('nothing until the host has given some', async () => {
    const module = accept(await loadWasmFixture('echo'));
    expect(() => instantiateWasm(module.bytes).call('run', 0, 0)).toThrow('unreachable');
  });

  test('out of reach of the guest', async () => {
    const bytes = await loadWasmFixture('echo');
    // The module has one global; `global.get 0` inside it becomes `global.get 1`, which only the rewritten module has.
    const at = bytes.findIndex((byte, index) => index > 60 && byte === 0x23 && bytes[index + 1] === 0);
    const reaching = bytes.slice();
    reaching[at + 1] = 1;
    expect(gateModule(reaching, { memoryBytes: 65_536 })).toEqual({
      ok: false,
      problems: [`WASM module is malformed at byte ${at + 2}: global 1 does not exist, there are 1`],
    });
  });
});

describe('gateModule() stops', () => {
  test.for([
    'loops-forever',
    'loops-in-branch',
    'loops-by-br-table',
    'fills-forever',
    'fills-nothing-forever',
    'copies-forever',
    'inits-forever',
    'grows-by-nothing',
    'grows-forever',
    'grows-table',
    'fills-table',
    'copies-table',
    'recurses-widely',
    'calls-host-forever',
  ])('%s by its fuel', async (fixture) => {
    const running = start(accept(await loadWasmFixture(fixture)), 10n ** 8n);
    expect(() => running.call('run', 0, 0)).toThrow('unreachable');
    expect(running.fuel()).toBeLessThan(0n);
    expect(running.fuel()).toBeGreaterThan(-(10n ** 7n));
  });

  test('loops-in-alloc by its fuel', async () => {
    const running = start(accept(await loadWasmFixture('loops-in-alloc')), 10n ** 7n);
    expect(() => running.call('alloc', 1)).toThrow('unreachable');
  });

  test('loops-in-start by its fuel, and not before it is called', async () => {
    const module = accept(await loadWasmFixture('loops-in-start'));
    const running = start(module, 10n ** 7n);
    expect(() => running.call(module.startExport ?? '')).toThrow('unreachable');
  });

  test('recurses-forever by the stack of the engine', async () => {
    const running = start(accept(await loadWasmFixture('recurses-forever')), PLENTY);
    expect(() => running.call('run', 0, 0)).toThrow(RangeError);
  });
});
