/** The packed value that stands for an error; no string is longer than a memory, so none has it. */
export const ERROR_PACKED = -1n;

/** Where a string lies in a guest’s memory, in bytes. */
export interface Span {
  readonly pointer: number;
  readonly length: number;
}

/** `(pointer << 32) | length` as the signed 64-bit integer that guests see (agentzero.md §2, “Packing”). Both are u32. */
export const pack = ({ pointer, length }: Span): bigint => BigInt.asIntN(64, (BigInt(pointer) << 32n) | BigInt(length));

/** Both halves unsigned: a pointer beyond 2 GiB is out of range and not negative. */
export const unpack = (packed: bigint): Span => ({
  pointer: Number(BigInt.asUintN(32, packed >> 32n)),
  length: Number(BigInt.asUintN(32, packed)),
});

/** Whether a span lies in a memory; the sum is not taken modulo 2^32. */
export const isWithin = ({ pointer, length }: Span, memoryBytes: number): boolean => pointer + length <= memoryBytes;
