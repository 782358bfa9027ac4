import { describe, expect, test } from 'vitest';

import { FRAME, HEADER_BYTES, RESULT } from '../../../../src/executors/wasm/channel.ts';
import { createGuestRunner, type GuestCall, type GuestResult, type HostReply } from '../../../../src/executors/wasm/child-guest.ts';
import { gateModule } from '../../../../src/executors/wasm/gate/gate.ts';
import { assembleWat, loadWasmFixture } from '../../../helpers/wasm-fixture.ts';

const IMPORTS = `
  (import "az" "read_file" (func $read_file (param i32 i32) (result i64)))
  (import "az" "write_file" (func $write_file (param i32 i32 i32 i32) (result i32)))
  (import "az" "file_exists" (func $file_exists (param i32 i32) (result i32)))
  (import "az" "now" (func $now (result i64)))
  (import "az" "log" (func $log (param i32 i32)))`;
const MEMORY = '(memory (export "memory") 1)';
const ALLOC = `(global $next (mut i32) (i32.const 4096))
  (func (export "alloc") (param $size i32) (result i32)
    (global.get $next) (global.set $next (i32.add (global.get $next) (local.get $size))))`;
const runWith = (body: string): string => `(func (export "run") (param $ptr i32) (param $len i32) (result i64) ${body})`;
const guest = (body: string, { memory = MEMORY, alloc = ALLOC, more = '' } = {}): string =>
  `(module ${IMPORTS} ${memory} ${alloc} ${more} ${runWith(body)})`;
/** The packed answer `{"success":true,"output":…}` from data at 0. */
const answer = (json: string): { data: string; packed: string } => ({
  data: `(data (i32.const 0) "${json.replaceAll('"', '\\"')}")`,
  packed: `(i64.const ${json.length})`,
});
const OK = answer('{"success":true,"output":"fine"}');

const text = (value: string): HostReply => ({ isText: true, code: 0, text: Buffer.from(value) });
const code = (value: number): HostReply => ({ isText: false, code: value, text: Buffer.alloc(0) });

interface Asked {
  readonly index: number;
  readonly strings: readonly string[];
}

/** Gates, loads and runs a module; `reply` answers its imports. */
async function run(
  wat: string | Uint8Array,
  options: { call?: Partial<GuestCall>; reply?: (asked: Asked) => HostReply; request?: string } = {},
) {
  const gated = gateModule(typeof wat === 'string' ? await assembleWat(wat) : wat, { memoryBytes: 1024 * 1024, importMemory: true });
  if (!gated.ok) throw new Error(gated.problems.join('; '));
  const { entry, fuelExport, startExport, memory } = gated.module;
  const asked: Asked[] = [];
  const logs: string[] = [];
  const runner = createGuestRunner({
    askServer(frame) {
      expect(frame[4]).toBe(FRAME.hostCall);
      expect(frame.readUInt32LE(0)).toBe(frame.length - 4);
      const strings: string[] = [];
      for (let at = HEADER_BYTES + 1; at < frame.length; at += 4 + frame.readUInt32LE(at)) {
        strings.push(frame.toString('utf8', at + 4, at + 4 + frame.readUInt32LE(at)));
      }
      const one = { index: frame.readUInt8(HEADER_BYTES), strings };
      asked.push(one);
      return options.reply?.(one) ?? text('');
    },
    sendLog: (frame) => void logs.push(frame.toString('utf8', HEADER_BYTES)),
  });
  runner.load(
    1,
    { entry, fuelExport, ...(startExport === undefined ? {} : { startExport }), ...(memory === undefined ? {} : { memory }) },
    Buffer.from(gated.module.bytes),
  );
  const call = {
    fuel: 10_000_000,
    hostCalls: 100,
    logBytes: 1_000,
    outputBytes: 10_000,
    request: Buffer.from(options.request ?? '{}'),
    ...options.call,
  };
  const result = runner.run(1, call);
  return { result, asked, logs, again: (): GuestResult => runner.run(1, call), runner };
}
const resultOf = async (...args: Parameters<typeof run>): Promise<GuestResult> => (await run(...args)).result;

describe('createGuestRunner().run()', () => {
  test('gives the guest its request and takes its answer, in a fresh instance each time', async () => {
    const { result, again } = await run(await loadWasmFixture('echo'), { request: '{"success":true,"output":"é😀"}' });
    expect(result).toMatchObject({ status: RESULT.ok, text: 'é😀', hostCalls: 0, logBytesDropped: 0 });
    expect(result.fuelUsed).toBeGreaterThan(0);
    expect(again()).toEqual(result);
  });

  test.for([
    ['falls-back-to-start', { status: RESULT.ok, text: '' }],
    ['falls-back-to-main', { status: RESULT.ok, text: expect.stringMatching(/^exit code: -?\d+$/) as string }],
    ['exports-nothing', { status: RESULT.ok, text: 'module loaded (no _start or main export)' }],
    ['loops-forever', { status: RESULT.fuel, text: 'the fuel of 10000000 is used up' }],
    ['loops-in-alloc', { status: RESULT.fuel, text: 'the fuel of 10000000 is used up' }],
    ['loops-in-start', { status: RESULT.fuel, text: 'the fuel of 10000000 is used up' }],
    ['recurses-forever', { status: RESULT.trapped, text: 'Maximum call stack size exceeded' }],
    ['calls-host-forever', { status: RESULT.hostCalls, text: '101 host calls, the limit is 100' }],
  ] as const)('%s', async ([name, wanted]) => {
    expect(await resultOf(await loadWasmFixture(name), { call: name === 'recurses-forever' ? { fuel: 1e12 } : {} })).toMatchObject(wanted);
  });

  test.for([
    ['that was written to', ''],
    ['that was grown', '(drop (memory.grow (i32.const 1)))'],
    ['of a guest that trapped', '(if (i32.eq (i32.load8_u (i32.const 42)) (i32.const 48)) (then (unreachable)))'],
    ['that is larger than what is wiped', '', 9],
  ] as const)('gives a memory of its initial size, zero but for its data, after one %s', async ([, dirty, pages = 1]) => {
    const wat = `(module (memory (export "memory") ${pages})
      (data (i32.const 16) "{\\"success\\":true,\\"output\\":\\"??\\"}")
      (func (export "alloc") (param i32) (result i32) (i32.const 1024))
      (func (export "run") (param i32 i32) (result i64)
        (i32.store8 (i32.const 42) (i32.add (i32.const 48) (i32.load8_u (i32.const 50000))))
        (i32.store8 (i32.const 43) (i32.add (i32.const 48) (memory.size)))
        (memory.fill (i32.const 50000) (i32.const 7) (i32.const 1000))
        ${dirty}
        (i64.const ${(16n << 32n) | 30n})))`;
    const { result, again } = await run(wat);
    if (dirty.includes('unreachable')) expect(result.status).toBe(RESULT.trapped);
    else expect(result).toMatchObject({ status: RESULT.ok, text: `0${pages}` });
    for (let i = 0; i < 3; i++) expect(again()).toEqual(result);
  });

  test('reports fuel that was used up as all of it', async () => {
    expect((await resultOf(await loadWasmFixture('loops-forever'), { call: { fuel: 1_000 } })).fuelUsed).toBe(1_000);
  });

  test('says so for a module that is not loaded, or no more', async () => {
    const { runner, again } = await run(guest(OK.packed, { more: OK.data }));
    expect(again().status).toBe(RESULT.ok);
    expect(runner.unload(1)).toBe(true);
    expect(again()).toMatchObject({ status: RESULT.trapped, text: 'module 1 is not loaded', fuelUsed: 0 });
  });

  test('reports data that lies outside the memory as a trap of the call', async () => {
    const { result } = await run(guest(OK.packed, { more: '(data (i32.const 65530) "0123456789")' }));
    expect(result.status).toBe(RESULT.trapped);
    expect(result.text).toMatch(/data segment/);
  });
});

describe('createGuestRunner().run() refuses an answer', () => {
  test.for([
    ['of -1', '(i64.const -1)', RESULT.malformed, '"run" returned -1, the error value'],
    ['outside the memory', '(i64.const 65537)', RESULT.malformed, '"run" returned 65537 bytes at 0, outside the memory of 65536 bytes'],
    [
      'that begins outside',
      '(i64.const 0x1000000000001)',
      RESULT.malformed,
      '"run" returned 1 bytes at 65536, outside the memory of 65536 bytes',
    ],
    [
      'with a negative pointer',
      '(i64.const 0x8000000000000001)',
      RESULT.malformed,
      '"run" returned 1 bytes at 2147483648, outside the memory of 65536 bytes',
    ],
    ['of -2', '(i64.const -2)', RESULT.malformed, '"run" returned 4294967294 bytes at 4294967295, outside the memory of 65536 bytes'],
    ['that is too large', '(i64.const 10001)', RESULT.tooLarge, '10001 bytes, the limit is 10000'],
    ['that is empty', '(i64.const 0)', RESULT.malformed, 'answer not understood, it is not JSON: ""'],
    [
      'that is not UTF-8',
      '(i32.store8 (i32.const 0) (i32.const 0xff)) (i64.const 1)',
      RESULT.malformed,
      '"run" returned text that is not UTF-8',
    ],
    [
      'that is cut in a character',
      '(i32.store8 (i32.const 0) (i32.const 0xc3)) (i64.const 1)',
      RESULT.malformed,
      '"run" returned text that is not UTF-8',
    ],
    ['it never gives', '(unreachable)', RESULT.trapped, 'unreachable'],
  ] as const)('%s', async ([, body, status, wanted]) => {
    expect(await resultOf(guest(body))).toMatchObject({ status, text: wanted });
  });

  test.for([
    ['-1', '(i32.const -1)'],
    ['the end of the memory', '(i32.const 65535)'],
  ] as const)('when "alloc" gives %s for the request', async ([, pointer]) => {
    const alloc = `(func (export "alloc") (param i32) (result i32) ${pointer})`;
    expect(await resultOf(guest(OK.packed, { alloc }))).toMatchObject({
      status: RESULT.malformed,
      text: '"alloc" gave no room for a request of 2 bytes',
    });
  });

  test('unless "alloc" gives room up to the last byte', async () => {
    const alloc = '(func (export "alloc") (param i32) (result i32) (i32.const 65534))';
    expect(await resultOf(guest(OK.packed, { alloc, more: OK.data }))).toMatchObject({ status: RESULT.ok, text: 'fine' });
  });
});

describe('createGuestRunner().run() answers imports', () => {
  test('by index and strings, and gives text back', async () => {
    const body = '(call $read_file (i32.const 0) (i32.const 5))';
    const { result, asked } = await run(guest(body, { more: '(data (i32.const 0) "a/\\c3\\a9.b")' }), {
      reply: () => text('{"success":true,"output":"\ufeffread"}'),
    });
    expect(asked).toEqual([{ index: 0, strings: ['a/é.'] }]);
    expect(result).toMatchObject({ status: RESULT.ok, text: '\ufeffread', hostCalls: 1 });
  });

  test('after "alloc" has grown the memory under the call', async () => {
    const alloc = `(func (export "alloc") (param $size i32) (result i32)
      (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))`;
    const reply = (): HostReply => text(`{"success":true,"output":"${'y'.repeat(5_000)}"}`);
    expect(await resultOf(guest('(call $now)', { alloc }), { reply })).toMatchObject({ status: RESULT.ok, text: 'y'.repeat(5_000) });
  });

  const failsWith = (value: number, call: string): string =>
    guest(`(if (i32.ne ${call} (i32.const ${value})) (then (unreachable))) ${OK.packed}`, { more: OK.data });
  const failsPacked = (call: string, more = ''): string =>
    guest(`(if (i64.ne ${call} (i64.const -1)) (then (unreachable))) ${OK.packed}`, { more: OK.data + more });
  test.for([
    ['read_file outside the memory', failsPacked('(call $read_file (i32.const 65530) (i32.const 7))')],
    ['read_file at a negative pointer', failsPacked('(call $read_file (i32.const -1) (i32.const 1))')],
    ['read_file of a negative length', failsPacked('(call $read_file (i32.const 0) (i32.const -1))')],
    [
      'read_file of what is not UTF-8',
      failsPacked('(call $read_file (i32.const 2000) (i32.const 2))', '(data (i32.const 2000) "\\c3\\28")'),
    ],
    ['write_file outside the memory', failsWith(1, '(call $write_file (i32.const 0) (i32.const 1) (i32.const 65536) (i32.const 1))')],
    ['file_exists outside the memory', failsWith(-1, '(call $file_exists (i32.const 65536) (i32.const 1))')],
  ] as const)('with their error values and without asking: %s', async ([, wat]) => {
    const { result, asked } = await run(wat);
    expect(result).toMatchObject({ status: RESULT.ok, text: 'fine', hostCalls: 1 });
    expect(asked).toEqual([]);
  });

  test.for([0, 1, -1, 7])('with the code %i as it is', async (value) => {
    const wat = failsWith(value, '(call $file_exists (i32.const 0) (i32.const 0))');
    expect((await resultOf(wat, { reply: () => code(value) })).status).toBe(RESULT.ok);
    expect((await resultOf(wat, { reply: () => code(value + 1) })).status).toBe(RESULT.trapped);
  });

  test('with -1 where the server has no text', async () => {
    expect((await resultOf(failsPacked('(call $now)'), { reply: () => code(-1) })).status).toBe(RESULT.ok);
  });

  test('with -1 when "alloc" traps for the text, which is no trap of the import', async () => {
    const alloc = `(global $calls (mut i32) (i32.const 0))
      (func (export "alloc") (param i32) (result i32)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (if (i32.gt_u (global.get $calls) (i32.const 1)) (then (unreachable)))
        (i32.const 4096))`;
    const body = `(if (i64.ne (call $now) (i64.const -1)) (then (unreachable))) ${OK.packed}`;
    expect(await resultOf(guest(body, { alloc, more: OK.data }))).toMatchObject({ status: RESULT.ok, text: 'fine' });
  });

  test('of the start function, whose memory and "alloc" are there', async () => {
    const more = `${OK.data} (func $start (if (i64.eq (call $now) (i64.const -1)) (then (unreachable)))) (start $start)`;
    const { result, asked } = await run(guest(OK.packed, { more }), { reply: () => text('12:00') });
    expect(result).toMatchObject({ status: RESULT.ok, hostCalls: 1 });
    expect(asked).toHaveLength(1);
  });

  test('that call one another through "alloc" eight deep, and no deeper', async () => {
    const alloc = '(func (export "alloc") (param i32) (result i32) (drop (call $now)) (i32.const 4096))';
    const { result, asked } = await run(guest(OK.packed, { alloc, more: OK.data }), { reply: () => text('x') });
    expect(result.status).toBe(RESULT.ok);
    expect(asked).toHaveLength(9);
  });
});

describe('createGuestRunner().run() keeps log lines', () => {
  const logs = (count: number, length: number): string =>
    guest(
      `(local $i i32)
      (loop $again
        (call $log (i32.const 2000) (i32.const ${length}))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const ${count}))))
      ${OK.packed}`,
      { more: `${OK.data} (data (i32.const 2000) "${'l'.repeat(400)}")` },
    );

  test('up to the limit of a call, the last one cut, and counts the rest', async () => {
    const { result, logs: lines, asked } = await run(logs(5, 400));
    expect(lines.map((line) => line.length)).toEqual([400, 400, 200]);
    expect(result).toMatchObject({ status: RESULT.ok, logBytesDropped: 1_000, hostCalls: 5 });
    expect(asked).toEqual([]);
  });

  test('and stops a flood by the limit of host calls, empty lines too', async () => {
    const { result, logs: lines } = await run(logs(1_000, 0));
    expect(result).toMatchObject({ status: RESULT.hostCalls, text: '101 host calls, the limit is 100' });
    expect(lines).toHaveLength(100);
  });

  test('not of a line outside the memory', async () => {
    const { result, logs: lines } = await run(guest(`(call $log (i32.const -5) (i32.const 10)) ${OK.packed}`, { more: OK.data }));
    expect(result.status).toBe(RESULT.ok);
    expect(lines).toEqual([]);
  });
});
