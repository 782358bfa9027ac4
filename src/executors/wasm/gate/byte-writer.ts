import { GateRefusal } from './byte-reader.ts';

/** Bytes that grow up to a limit. */
export interface ByteWriter {
  bytes: Uint8Array;
  length: number;
  readonly maxBytes: number;
  /** What the limit is of, for the refusal. */
  readonly what: string;
}

/** Opens an empty writer. */
export function createWriter({ what, maxBytes, sizeHint }: { what: string; maxBytes: number; sizeHint: number }): ByteWriter {
  return { bytes: new Uint8Array(Math.max(64, Math.min(sizeHint, maxBytes))), length: 0, maxBytes, what };
}

function reserve(writer: ByteWriter, size: number): void {
  const wanted = writer.length + size;
  if (wanted <= writer.bytes.byteLength) return;
  if (wanted > writer.maxBytes) throw new GateRefusal(`WASM module has ${writer.what} above the limit of ${writer.maxBytes} bytes`);
  const grown = new Uint8Array(Math.min(writer.maxBytes, Math.max(wanted, writer.bytes.byteLength * 2)));
  grown.set(writer.bytes.subarray(0, writer.length));
  writer.bytes = grown;
}

/** Appends one byte. */
export function writeByte(writer: ByteWriter, byte: number): void {
  reserve(writer, 1);
  writer.bytes[writer.length++] = byte;
}

/** Appends a few bytes. */
export function writeBytes(writer: ByteWriter, bytes: readonly number[]): void {
  reserve(writer, bytes.length);
  for (const byte of bytes) writer.bytes[writer.length++] = byte;
}

/** Appends `source[start, end)`. */
export function writeRange(writer: ByteWriter, source: Uint8Array, { start, end }: { start: number; end: number }): void {
  if (end <= start) return;
  reserve(writer, end - start);
  writer.bytes.set(source.subarray(start, end), writer.length);
  writer.length += end - start;
}

/** Appends an unsigned LEB128. */
export function writeU32(writer: ByteWriter, value: number): void {
  let rest = value;
  while (rest > 0x7f) {
    writeByte(writer, (rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  writeByte(writer, rest);
}

/** Appends a signed LEB128 of a number from 0 below 2^30. */
export function writePositiveS64(writer: ByteWriter, value: number): void {
  let rest = value;
  while (rest > 0x3f) {
    writeByte(writer, (rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  writeByte(writer, rest);
}

/** What has been written; a view, valid until the writer is written to again. */
export const writtenBytes = (writer: ByteWriter): Uint8Array => writer.bytes.subarray(0, writer.length);

/** Empties a writer for its next use. */
export function clearWriter(writer: ByteWriter): void {
  writer.length = 0;
}
