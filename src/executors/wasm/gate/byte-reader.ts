/** A place in a module’s bytes. `end` is where the section or function body that is being read ends. */
export interface ByteReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  end: number;
}

/** Ends the reading of a module; the message is the sentence that the person sees. Never leaves the gate. */
export class GateRefusal extends Error {
  override readonly name = 'GateRefusal';
}

/** A refusal of bytes that are no WebAssembly. */
export const malformedAt = (at: number, reason: string): GateRefusal =>
  new GateRefusal(`WASM module is malformed at byte ${at}: ${reason}`);

/** A refusal of a feature outside the profile, by its name. */
export const refuseFeature = (feature: string, at: number): GateRefusal =>
  new GateRefusal(`WASM module uses ${feature} (at byte ${at}): compile it without this feature`);

/** Opens a reader at the start of the bytes. */
export function createReader(bytes: Uint8Array): ByteReader {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0, end: bytes.byteLength };
}

/** Reads one byte. */
export function readByte(reader: ByteReader): number {
  if (reader.at >= reader.end) throw malformedAt(reader.at, 'the section or function ends in the middle of something');
  return reader.view.getUint8(reader.at++);
}

/** Passes over `size` bytes. */
export function skipBytes(reader: ByteReader, size: number): void {
  if (size > reader.end - reader.at) throw malformedAt(reader.at, `${size} bytes are wanted, ${reader.end - reader.at} are left`);
  reader.at += size;
}

/** Reads an unsigned 32-bit LEB128; refuses more than five bytes and bits past the 32nd (specification §5.2.2). */
export function readU32(reader: ByteReader): number {
  let value = readByte(reader);
  if (value < 0x80) return value;
  value &= 0x7f;
  for (let shift = 7; shift < 28; shift += 7) {
    const byte = readByte(reader);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  const last = readByte(reader);
  if (last > 0x0f) throw malformedAt(reader.at - 1, 'a number has more than 32 bits');
  return (value | (last << 28)) >>> 0;
}

/** Reads a count or a size; `what` names it in the refusal when it is above `max`. */
export function readCount(reader: ByteReader, what: string, max: number): number {
  const count = readU32(reader);
  if (count > max) throw new GateRefusal(`WASM module has ${count} ${what}: the limit is ${max}`);
  return count;
}

/** Reads an index below `count`; `what` names the kind of thing it points at. */
export function readIndex(reader: ByteReader, what: string, count: number): number {
  const index = readU32(reader);
  if (index >= count) throw malformedAt(reader.at, `${what} ${index} does not exist, there are ${count}`);
  return index;
}

/** Passes over a signed LEB128 of at most five bytes, for `i32.const`. */
export function skipS32(reader: ByteReader): void {
  for (let count = 0; count < 4; count++) if (readByte(reader) < 0x80) return;
  const last = readByte(reader);
  if (last > 0x07 && (last < 0x78 || last > 0x7f)) throw malformedAt(reader.at - 1, 'a number has more than 32 bits');
}

/** Passes over a signed LEB128 of at most ten bytes, for `i64.const`. */
export function skipS64(reader: ByteReader): void {
  for (let count = 0; count < 9; count++) if (readByte(reader) < 0x80) return;
  const last = readByte(reader);
  if (last !== 0x00 && last !== 0x7f) throw malformedAt(reader.at - 1, 'a number has more than 64 bits');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads a name of at most `maxBytes` of strict UTF-8. */
export function readName(reader: ByteReader, maxBytes: number): string {
  const size = readCount(reader, 'bytes in a name', maxBytes);
  const start = reader.at;
  skipBytes(reader, size);
  try {
    return utf8.decode(reader.bytes.subarray(start, reader.at));
  } catch {
    throw malformedAt(start, 'a name is not UTF-8');
  }
}

/** A name out of a module, made fit for a message: no control characters, at most 64 characters. */
export function quoteName(name: string): string {
  const shown = name.length > 64 ? `${name.slice(0, 63)}…` : name;
  return shown.replace(/[\p{C}\p{Z}]/gu, (char) => (char === ' ' ? ' ' : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`));
}
