import { describe, expect, test } from 'vitest';

import { gateModule } from '../../../../../src/executors/wasm/gate/gate.ts';
import { encodeInstructions, encodeModule, leb, sized } from '../../../../helpers/wasm-fixture.ts';

const OPTIONS = { memoryBytes: 64 * 1024 * 1024 };
const UNREACHABLE = 0x00;
/** MVP 172, sign extension 5, typed select, table.get and .set, ref.null, .is_null and .func; `else` and `end` only close others. */
const ONE_BYTE_INSTRUCTIONS = 183 - 2;

function problemsOf(bytes: Uint8Array): string[] {
  const result = gateModule(bytes, OPTIONS);
  return result.ok ? [] : result.problems;
}
const uses = (feature: string): RegExp[] =>
  [
    new RegExp(`^WASM module uses ${feature.replaceAll(/[()]/g, String.raw`\$&`)} \\(at byte \\d+\\): compile it without this feature$`),
  ].map((pattern) => expect.stringMatching(pattern) as unknown as RegExp);

/** Between two `unreachable`, any stack type fits: only opcode and immediates decide. */
const isolated = (...instruction: number[]): Uint8Array<ArrayBuffer> => encodeInstructions([UNREACHABLE, ...instruction, UNREACHABLE]);

/** What may follow an opcode: nothing, one to three small numbers, a type, memarg and lane, constants of 4, 8, 16 bytes. */
const IMMEDIATES = [
  [],
  [0],
  [1],
  [0, 0],
  [0, 0, 0],
  [0x70],
  [1, 0x7f],
  [0x40, 0x0b],
  Array(4).fill(0),
  Array(8).fill(0),
  Array(16).fill(1),
] as number[][];

/**
 * Whether an instruction is accepted, after checking that the engine accepts it too; what only the engine accepts must
 * be a feature that is refused by its name. That holds for engines of any age.
 */
function checkAgainstEngine(instruction: readonly number[]): boolean {
  const bytes = isolated(...instruction);
  const [problem] = problemsOf(bytes);
  const isValid = WebAssembly.validate(bytes);
  if (problem === undefined) expect({ instruction, isValid }).toEqual({ instruction, isValid: true });
  else if (isValid) expect({ instruction, problem }).toEqual({ instruction, problem: expect.stringMatching(/^WASM module uses /) });
  return problem === undefined;
}

describe('gateModule() knows the same instructions as the engine', () => {
  test('of one byte', () => {
    const accepted = new Set<number>();
    for (let opcode = 0; opcode < 256; opcode++) {
      for (const immediates of IMMEDIATES) if (checkAgainstEngine([opcode, ...immediates])) accepted.add(opcode);
    }
    expect([...accepted].filter((opcode) => opcode < 0xfc)).toHaveLength(ONE_BYTE_INSTRUCTIONS);
  });

  test.for([
    ['bulk and conversions', 0xfc, 40, 18],
    ['SIMD', 0xfd, 0x200, 236],
  ] as const)('of %s', ([, prefix, last, count]) => {
    const accepted = new Set<number>();
    for (let number = 0; number < last; number++) {
      for (const immediates of IMMEDIATES) if (checkAgainstEngine([prefix, ...leb(number), ...immediates])) accepted.add(number);
    }
    expect(accepted.size).toBe(count);
  });
});

describe('gateModule() refuses by name', () => {
  const type = (...form: number[]): Uint8Array => encodeModule(sized([1, ...form], 1));
  const table = (...content: number[]): Uint8Array => encodeModule(sized([1, ...content], 4));
  const memory = (...content: number[]): Uint8Array => encodeModule(sized(content, 5));

  test.for<[what: string, bytes: Uint8Array, feature: string]>([
    ['a struct type', type(0x5f, 0), 'garbage-collected types'],
    ['an array type', type(0x5e, 0x7f, 0), 'garbage-collected types'],
    ['a recursion group', type(0x4e, 1, 0x60, 0, 0), 'garbage-collected types'],
    ['a subtype', type(0x50, 0, 0x60, 0, 0), 'garbage-collected types'],
    ['a parameter of type anyref', type(0x60, 1, 0x6e, 0), 'garbage-collected types'],
    ['a parameter of a typed reference', type(0x60, 1, 0x63, 0, 0), 'typed function references'],
    ['a result of type exnref', type(0x60, 0, 1, 0x69), 'exception handling'],
    ['struct.new', isolated(0xfb, 0, 0), 'garbage-collected types'],
    ['ref.eq', isolated(0xd3), 'garbage-collected types'],
    ['call_ref', isolated(0x14, 0), 'typed function references'],
    ['ref.as_non_null', isolated(0xd4), 'typed function references'],
    ['a null of a declared type', isolated(0xd0, 0), 'typed function references'],
    ['a null of type anyref', isolated(0xd0, 0x6e), 'garbage-collected types'],
    [
      'a local of type anyref',
      encodeModule(sized([1, 0x60, 0, 0], 1), sized([1, 0], 3), sized([1, ...sized([1, 1, 0x6e, 0x0b])], 10)),
      'garbage-collected types',
    ],
    ['try', isolated(0x06, 0x40, 0x0b), 'exception handling'],
    ['try_table', isolated(0x1f, 0x40, 0, 0x0b), 'exception handling'],
    ['a tag section', encodeModule(sized([0], 13)), 'exception handling'],
    ['return_call', isolated(0x12, 0), 'tail calls'],
    ['return_call_indirect', isolated(0x13, 0, 0), 'tail calls'],
    ['an atomic fence', isolated(0xfe, 3, 0), 'threads (atomic instructions)'],
    ['relaxed SIMD', isolated(0xfd, 0x80, 2), 'relaxed SIMD'],
    ['a second memory', memory(2, 0, 1, 0, 1), 'multiple memories'],
    ['a load of a second memory', isolated(0x28, 0x40, 1, 0), 'multiple memories'],
    ['memory.fill of a second memory', isolated(0xfc, 11, 1), 'multiple memories'],
    ['shared memory', memory(1, 3, 1, 1), 'threads (shared memories)'],
    ['64-bit memory', memory(1, 4, 1), '64-bit memories'],
    ['a custom page size', memory(1, 8, 1, 0), 'custom page sizes'],
    ['a 64-bit table', table(0x70, 4, 1), '64-bit tables'],
    ['a table with an initialiser', table(0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b), 'typed function references'],
    ['an initialiser that adds', encodeModule(sized([1, 0x7f, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b], 6)), 'extended constant expressions'],
    [
      'an initialiser that reads a global',
      encodeModule(sized([2, 0x7f, 0, 0x41, 1, 0x0b, 0x7f, 0, 0x23, 0, 0x0b], 6)),
      'extended constant expressions',
    ],
  ])('%s', ([, bytes, feature]) => {
    expect(problemsOf(bytes)).toEqual(uses(feature));
  });
});

describe('gateModule() refuses files that are no such module', () => {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  test.for<[what: string, bytes: Uint8Array, problem: string]>([
    ['an empty file', new Uint8Array(), 'WASM file is empty: wanted a WebAssembly module'],
    ['half a header', encodeModule().subarray(0, 6), 'WASM module is cut short: its header has 6 of 8 bytes'],
    [
      'a component',
      new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]),
      'WASM file is a component: wanted a core module, such as target wasm32-unknown-unknown makes',
    ],
    [
      'another version',
      new Uint8Array([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]),
      'WASM module has the unknown version bytes 02 00 00 00: wanted 01 00 00 00',
    ],
    ['text', text('\n  (module)'), 'WASM file is in the text format (.wat): assemble it to a binary first, with wat2wasm for example'],
    [
      'text after a comment',
      text(';; hi'),
      'WASM file is in the text format (.wat): assemble it to a binary first, with wat2wasm for example',
    ],
    ['a program', text('\u007fELF'), 'WASM file is no WebAssembly module: it begins with 7f 45 4c 46, wanted 00 61 73 6d'],
    ['a module cut off', encodeModule([1, 5, 1, 0x60]), 'WASM module is cut short: the section at byte 8 wants 5 bytes, 2 are left'],
    [
      'a section cut off within its size',
      encodeModule([1, 0x80]),
      'WASM module is malformed at byte 10: the section or function ends in the middle of something',
    ],
    ['an unknown section', encodeModule(sized([0], 14)), 'WASM module is malformed at byte 8: section 14 is unknown'],
    [
      'sections out of order',
      encodeModule(sized([0], 3), sized([0], 1)),
      'WASM module is malformed at byte 11: section 1 is repeated or out of order',
    ],
    [
      'a section twice',
      encodeModule(sized([0], 1), sized([0], 1)),
      'WASM module is malformed at byte 11: section 1 is repeated or out of order',
    ],
    [
      'bytes behind a section’s content',
      encodeModule(sized([0, 0], 1)),
      'WASM module is malformed at byte 11: section 1 has 1 bytes too many',
    ],
    [
      'functions without code',
      encodeModule(sized([1, 0x60, 0, 0], 1), sized([1, 0], 3)),
      'WASM module is malformed at byte 18: 1 functions are declared, 0 have code',
    ],
    ['a name that is no UTF-8', encodeModule(sized([1, 0xff], 0)), 'WASM module is malformed at byte 11: a name is not UTF-8'],
    ['a type error', encodeInstructions([0x41, 0]), 'WASM module is invalid: its code does not pass type checking'],
    ['a function that goes on', encodeInstructions([0x0b, 0x01]), 'WASM module is malformed at byte 65: a function goes on after its end'],
    [
      'a function that does not end',
      encodeInstructions([0x02, 0x40]),
      'WASM module is malformed at byte 67: the section or function ends in the middle of something',
    ],
  ])('%s', ([, bytes, problem]) => {
    expect(problemsOf(bytes)).toEqual([problem]);
  });
});

describe('gateModule() limits', () => {
  const nops = (count: number): Uint8Array => encodeInstructions(Array<number>(count).fill(1));
  const deep = (depth: number): Uint8Array =>
    encodeInstructions([...Array.from({ length: depth }, () => [0x02, 0x40]).flat(), ...Array<number>(depth).fill(0x0b)]);
  const locals = (count: number): Uint8Array =>
    encodeModule(sized([1, 0x60, 0, 0], 1), sized([1, 0], 3), sized([1, ...sized([1, ...leb(count), 0x7f, 0x0b])], 10));
  const functions = (count: number): Uint8Array =>
    encodeModule(
      sized([1, 0x60, 0, 0], 1),
      sized([...leb(count), ...Array<number>(count).fill(0)], 3),
      sized([...leb(count), ...Array.from({ length: count }, () => [2, 0, 0x0b]).flat()], 10),
    );

  /** Calls of a function with many parameters, on a stack that is never checked for them. */
  const calls = (params: number, count: number): Uint8Array =>
    encodeModule(
      sized([2, 0x60, 0, 0, 0x60, ...leb(params), ...Array<number>(params).fill(0x7f), 0], 1),
      sized([2, 0, 1], 3),
      sized([2, ...sized([0, 0, ...Array.from({ length: count }, () => [0x10, 1]).flat(), 0x0b]), ...sized([0, 0x0b])], 10),
    );

  test.for<[what: string, make: (count: number) => Uint8Array, good: number, bad: number, problem: string]>([
    ['the size of a function', nops, 1024 * 1024 - 4, 1024 * 1024 - 3, 'WASM module has 1048577 bytes in function 0: the limit is 1048576'],
    ['the depth of blocks', deep, 4096, 4097, 'WASM module nests blocks more than 4096 deep in function 0'],
    ['locals', locals, 49_999, 50_000, 'WASM module has 50000 locals in function 0: the limit is 49999'],
    ['parameters', (params) => calls(params, 1), 256, 257, 'WASM module has 257 parameters in a type: the limit is 256'],
    ['functions', functions, 100_000, 100_001, 'WASM module has 100001 functions: the limit is 100000'],
  ])('%s', ([, make, good, bad, problem]) => {
    expect(problemsOf(make(good))).toEqual([]);
    expect(problemsOf(make(bad))).toEqual([problem]);
  });

  test.for<[what: string, bytes: Uint8Array, problem: string]>([
    ['a million functions', functions(1_000_000), 'WASM module has 1000000 functions: the limit is 100000'],
    [
      'a count that the bytes could not hold',
      encodeModule(sized(leb(0xffffffff), 1)),
      'WASM module has 4294967295 types: the limit is 10000',
    ],
    ['the size of the module', new Uint8Array(32 * 1024 * 1024 + 1), 'WASM module has 33554433 bytes: the limit is 33554432'],
    ['targets of br_table', encodeInstructions([0x0e, ...leb(65_001)]), 'WASM module has 65001 targets in a br_table: the limit is 65000'],
    [
      'locals of all functions together',
      encodeModule(
        sized([1, 0x60, 0, 0], 1),
        sized([41, ...Array<number>(41).fill(0)], 3),
        sized([41, ...Array.from({ length: 41 }, () => sized([1, ...leb(49_999), 0x7f, 0x0b])).flat()], 10),
      ),
      'WASM module has more than 2000000 locals in all its functions',
    ],
    ['values that calls move', calls(256, 500_000), 'WASM module moves more than 32000000 values through its calls, blocks and branches'],
    [
      'charges in a function',
      encodeInstructions(Array.from({ length: 300_000 }, () => [0x03, 0x40, 0x0b]).flat()),
      'WASM module has a metered function above the limit of 2097152 bytes',
    ],
    [
      'locals beyond 32 bits',
      encodeModule(sized([1, 0x60, 0, 0], 1), sized([1, 0], 3), sized([1, ...sized([1, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x7f, 0x0b])], 10)),
      'WASM module is malformed at byte 27: a number has more than 32 bits',
    ],
  ])('%s', ([, bytes, problem]) => {
    expect(problemsOf(bytes)).toEqual([problem]);
  });
});
