import { describe, test } from 'vitest';

import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { callPlugin, useHostScript, useWasmExecutor, WAT_ALLOC, WAT_FINE, watAnswering, writeGuest } from '../helpers/wasm-guests.ts';

const hostScript = useHostScript();
const FINE = { kind: 'ok', output: { text: 'fine' } };
const bad = (message: string) => ({ kind: 'failed', code: 'EXECUTION_BAD_OUTPUT', message: `the plugin broke its contract: ${message}` });
const trapped = (message: string) => ({ kind: 'failed', code: 'EXECUTION_TRAPPED', message: `the plugin trapped: ${message}` });
const ok = (text: string) => ({ kind: 'ok', output: { text } });
const notUnderstood = (message: string) => bad(`answer not understood, ${message}`);
const MEMORY = 17 * 65_536;

/** A guest whose `alloc` does this, and whose `run` says "fine". */
const watAllocating = (body: string): string =>
  WAT_FINE.replace(WAT_ALLOC, `(func (export "alloc") (param $size i32) (result i32) ${body})`);

describe.skipIf(!HAS_BUBBLEWRAP)('answers of WASM guests', () => {
  test.for([
    ['no output', watAnswering('{"success":true}'), ok('')],
    ['null output', watAnswering('{"success":true,"output":null,"error":null}'), ok('')],
    ['an empty output', watAnswering('{"success":true,"output":""}'), ok('')],
    ['a number', watAnswering('{"success":true,"output":1.50}'), ok('1.5')],
    ['a list', watAnswering('{"success":true,"output":[1,"a"]}'), ok('[1,"a"]')],
    ['an object', watAnswering('{"success":true,"output":{"a":1}}'), { kind: 'ok', output: { text: '{"a":1}', structured: { a: 1 } } }],
    [
      'a failure',
      watAnswering('{"success":false,"error":"no such note"}'),
      { kind: 'failed', code: 'EXECUTION_PLUGIN_FAILED', message: 'no such note' },
    ],
    [
      'a failure without a reason',
      watAnswering('{"success":false}'),
      { kind: 'failed', code: 'EXECUTION_PLUGIN_FAILED', message: 'the plugin failed without saying why' },
    ],
    ['nothing', watAnswering(''), notUnderstood('it is not JSON: ""')],
    ['what is not JSON', watAnswering('{"success":tru'), notUnderstood('it is not JSON: "{\\"success\\":tru"')],
    ['two documents', watAnswering('{"success":true}{}'), notUnderstood('it is not JSON: "{\\"success\\":true}{}"')],
    ['a byte order mark', watAnswering('\ufeff{"success":true}'), notUnderstood('it is not JSON: "\ufeff{\\"success\\":true}"')],
    ['a list alone', watAnswering('[true]'), notUnderstood('it is not an object: "[true]"')],
    ['no success', watAnswering('{"output":"x"}'), notUnderstood('it has no "success": "{\\"output\\":\\"x\\"}"')],
    ['success that is no boolean', watAnswering('{"success":1}'), notUnderstood('it has no "success": "{\\"success\\":1}"')],
    ['what is not UTF-8', watAnswering(Uint8Array.of(0x7b, 0xff, 0x7d)), bad('"run" returned text that is not UTF-8')],
    ['a surrogate in UTF-8', watAnswering(Uint8Array.of(0xed, 0xa0, 0x80)), bad('"run" returned text that is not UTF-8')],
    [
      '200,000 nested lists',
      watAnswering(`{"success":true,"output":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
      bad('answer not understood, its output is nested deeper than 64 levels'),
    ],
    ['200,000 open lists', watAnswering('['.repeat(200_000)), notUnderstood(`it is not JSON: "${'['.repeat(120)}…"`)],
    ['the error value', watAnswering('', { pointer: 0xffffffff, length: 0xffffffff }), bad('"run" returned -1, the error value')],
    [
      'a place behind the memory',
      watAnswering('', { pointer: MEMORY, length: 1 }),
      bad(`"run" returned 1 bytes at ${MEMORY}, outside the memory of ${MEMORY} bytes`),
    ],
    [
      'a length behind the memory',
      watAnswering('', { pointer: 16, length: MEMORY }),
      bad(`"run" returned ${MEMORY} bytes at 16, outside the memory of ${MEMORY} bytes`),
    ],
    [
      'a sum that wraps',
      watAnswering('', { pointer: 0xfffffff0, length: 0x20 }),
      bad(`"run" returned 32 bytes at 4294967280, outside the memory of ${MEMORY} bytes`),
    ],
    [
      'a negative length',
      watAnswering('', { pointer: 16, length: -16 }),
      bad(`"run" returned 4294967280 bytes at 16, outside the memory of ${MEMORY} bytes`),
    ],
    ['an alloc of -1', watAllocating('(i32.const -1)'), /^the plugin broke its contract: "alloc" gave no room for a request of \d+ bytes$/],
    [
      'an alloc at the very end',
      watAllocating(`(i32.const ${MEMORY})`),
      /^the plugin broke its contract: "alloc" gave no room for a request of \d+ bytes$/,
    ],
    ['an alloc that traps', watAllocating('(unreachable)'), trapped('unreachable')],
    ['an alloc at address 0', watAllocating('(i32.const 0)'), FINE],
    ['a run that traps', watAnswering('').replace('(i64.const', '(unreachable) (i64.const'), trapped('unreachable')],
    [
      'an access out of bounds',
      watAnswering('').replace('(i64.const', '(drop (i32.load (i32.const -4))) (i64.const'),
      trapped('memory access out of bounds'),
    ],
    [
      'data that does not fit',
      WAT_FINE.replace('(data', '(data (i32.const 1114110) "abc") (data'),
      /^the plugin trapped: .*data segment.* is out of bounds/,
    ],
  ] as const)('%s', async ([, wat, expected], { expect }) => {
    const { executor, started } = useWasmExecutor(hostScript());
    const { result } = await callPlugin(executor, await writeGuest(wat));
    if (expected instanceof RegExp) expect(result).toMatchObject({ kind: 'failed', message: expect.stringMatching(expected) as string });
    else expect(result).toEqual(expected);
    expect((await callPlugin(executor, await writeGuest(WAT_FINE))).result).toEqual(FINE);
    expect(started).toHaveLength(1);
  });

  test('"__proto__" in an answer is a member like any other', async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    const guest = await writeGuest(watAnswering('{"success":true,"output":{"__proto__":{"polluted":true}},"__proto__":{"success":false}}'));
    const { result } = await callPlugin(executor, guest);
    expect(result.kind === 'ok' && result.output.text).toBe('{"__proto__":{"polluted":true}}');
    expect(result.kind === 'ok' && Object.getPrototypeOf(result.output.structured)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('memory that grows inside "alloc" while the host answers is written to where it is now', async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    // Every alloc gives the first page of memory that did not exist before.
    const guest = await writeGuest(`(module (import "az" "now" (func $now (result i64))) (memory (export "memory") 1)
      (data (i32.const 0) "{\\"success\\":true,\\"output\\":\\"")
      (func (export "alloc") (param i32) (result i32) (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
      (func (export "run") (param i32 i32) (result i64) (local $time i64)
        (local.set $time (call $now))
        (memory.copy (i32.const 26) (i32.wrap_i64 (i64.shr_u (local.get $time) (i64.const 32))) (i32.wrap_i64 (local.get $time)))
        (memory.fill (i32.add (i32.const 26) (i32.wrap_i64 (local.get $time))) (i32.const 34) (i32.const 1))
        (memory.fill (i32.add (i32.const 27) (i32.wrap_i64 (local.get $time))) (i32.const 125) (i32.const 1))
        (i64.add (i64.const 28) (i64.and (local.get $time) (i64.const 0xffffffff)))))`);
    const { result } = await callPlugin(executor, guest);
    expect(result).toEqual({
      kind: 'ok',
      output: { text: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}[+-]\d\d:\d\d$/) as string },
    });
  });

  test('an "alloc" that traps or asks the host again gives the import’s error value, and the guest goes on', async ({ expect }) => {
    const { executor } = useWasmExecutor(hostScript());
    // The second asks again for ever, until it is cut off at a depth; what each level outwards gets is an error too.
    for (const alloc of [
      '(if (global.get $ready) (then (unreachable)))',
      '(if (global.get $ready) (then (if (i64.eq (call $now) (i64.const -1)) (then (unreachable)))))',
    ]) {
      const guest = await writeGuest(`(module (import "az" "now" (func $now (result i64))) (memory (export "memory") 2)
        (data (i32.const 0) "{\\"success\\":true,\\"output\\":\\"fine\\"}") (global $ready (mut i32) (i32.const 0))
        (func (export "alloc") (param i32) (result i32) ${alloc} (i32.const 65536))
        (func (export "run") (param i32 i32) (result i64)
          (global.set $ready (i32.const 1))
          (if (i64.eq (call $now) (i64.const -1)) (then (return (i64.const 32))))
          (i64.const 1)))`);
      const { result, usage } = await callPlugin(executor, guest);
      expect(result).toEqual(FINE);
      expect(usage.hostCalls).toBeLessThan(20);
    }
  });
});
