/** The opcodes that the gate treats one by one (specification 2.0, §5.4). */
export const OPCODE = {
  unreachable: 0x00,
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  localGet: 0x20,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i64LtS: 0x53,
  i64Sub: 0x7d,
  i64Shl: 0x86,
  i64ShrU: 0x88,
  i64ExtendI32U: 0xad,
  refNull: 0xd0,
  refFunc: 0xd2,
  bulk: 0xfc,
  simd: 0xfd,
} as const;

/** What follows an opcode. Zero is “no such instruction in the profile”. */
export const FOLLOWS = {
  refused: 0,
  nothing: 1,
  blockType: 2,
  loopType: 3,
  end: 4,
  label: 5,
  labels: 6,
  func: 7,
  typeAndTable: 8,
  valTypes: 9,
  local: 10,
  global: 11,
  table: 12,
  memarg: 13,
  memory: 14,
  growMemory: 15,
  s32: 16,
  s64: 17,
  bytes4: 18,
  bytes8: 19,
  refType: 20,
  bulk: 21,
  simd: 22,
  leave: 23,
} as const;

type Row = readonly [first: number, last: number, follows: number];

const ROWS: readonly Row[] = [
  [0x00, 0x01, FOLLOWS.nothing],
  [0x02, 0x02, FOLLOWS.blockType],
  [0x03, 0x03, FOLLOWS.loopType],
  [0x04, 0x04, FOLLOWS.blockType],
  [0x05, 0x05, FOLLOWS.nothing],
  [0x0b, 0x0b, FOLLOWS.end],
  [0x0c, 0x0d, FOLLOWS.label],
  [0x0e, 0x0e, FOLLOWS.labels],
  [0x0f, 0x0f, FOLLOWS.leave],
  [0x10, 0x10, FOLLOWS.func],
  [0x11, 0x11, FOLLOWS.typeAndTable],
  [0x1a, 0x1b, FOLLOWS.nothing],
  [0x1c, 0x1c, FOLLOWS.valTypes],
  [0x20, 0x22, FOLLOWS.local],
  [0x23, 0x24, FOLLOWS.global],
  [0x25, 0x26, FOLLOWS.table],
  [0x28, 0x3e, FOLLOWS.memarg],
  [0x3f, 0x3f, FOLLOWS.memory],
  [0x40, 0x40, FOLLOWS.growMemory],
  [0x41, 0x41, FOLLOWS.s32],
  [0x42, 0x42, FOLLOWS.s64],
  [0x43, 0x43, FOLLOWS.bytes4],
  [0x44, 0x44, FOLLOWS.bytes8],
  // Tests, comparisons, arithmetic and conversions, then sign extension from 0xc0.
  [0x45, 0xc4, FOLLOWS.nothing],
  [0xd0, 0xd0, FOLLOWS.refType],
  [0xd1, 0xd1, FOLLOWS.nothing],
  [0xd2, 0xd2, FOLLOWS.func],
  [0xfc, 0xfc, FOLLOWS.bulk],
  [0xfd, 0xfd, FOLLOWS.simd],
];

function spread(rows: readonly Row[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const [first, last, follows] of rows) table.fill(follows, first, last + 1);
  return table;
}

/** `FOLLOWS` by first opcode byte. */
export const OPCODE_FOLLOWS: Uint8Array = spread(ROWS);

const EXCEPTIONS = 'exception handling';
const TAIL_CALLS = 'tail calls';
const TYPED_REFERENCES = 'typed function references';
const GC = 'garbage-collected types';

/** The features that refused opcodes belong to (specification 3.0, §5.4; threads proposal). */
export const REFUSED_OPCODES: Readonly<Record<number, string>> = {
  0x06: EXCEPTIONS,
  0x07: EXCEPTIONS,
  0x08: EXCEPTIONS,
  0x09: EXCEPTIONS,
  0x0a: EXCEPTIONS,
  0x12: TAIL_CALLS,
  0x13: TAIL_CALLS,
  0x14: TYPED_REFERENCES,
  0x15: TYPED_REFERENCES,
  0x18: EXCEPTIONS,
  0x19: EXCEPTIONS,
  0x1f: EXCEPTIONS,
  0xd3: GC,
  0xd4: TYPED_REFERENCES,
  0xd5: TYPED_REFERENCES,
  0xd6: TYPED_REFERENCES,
  0xfb: GC,
  0xfe: 'threads (atomic instructions)',
};

/** What follows a SIMD opcode (specification 2.0, §5.4.8). */
export const SIMD_FOLLOWS = { refused: 0, nothing: 1, memarg: 2, bytes16: 3, lane: 4, memargAndLane: 5 } as const;

/** Numbers below 0x100 that no SIMD instruction has. */
const SIMD_HOLES = [0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6, 0xcf, 0xd0, 0xd2, 0xd3, 0xd4, 0xe2, 0xee];

/** `SIMD_FOLLOWS` by opcode below 0x100; relaxed SIMD begins there. */
export const SIMD_OPCODE_FOLLOWS: Uint8Array = spread([
  [0x00, 0x0b, SIMD_FOLLOWS.memarg],
  [0x0c, 0x0d, SIMD_FOLLOWS.bytes16],
  [0x0e, 0x14, SIMD_FOLLOWS.nothing],
  [0x15, 0x22, SIMD_FOLLOWS.lane],
  [0x23, 0x53, SIMD_FOLLOWS.nothing],
  [0x54, 0x5b, SIMD_FOLLOWS.memargAndLane],
  [0x5c, 0x5d, SIMD_FOLLOWS.memarg],
  [0x5e, 0xff, SIMD_FOLLOWS.nothing],
  ...SIMD_HOLES.map((hole): Row => [hole, hole, SIMD_FOLLOWS.refused]),
]);
