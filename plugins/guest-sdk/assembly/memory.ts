// The compiler needs to see abort.ts in every plugin, and every plugin needs `alloc`.
import "./abort";

/** The largest text that the host may hand in; a quarter of the memory cap, so that working copies fit beside it. */
const MAX_ALLOC_BYTES: i32 = 16 * 1024 * 1024;

/**
 * The ABI's `alloc`: room for a text that the host is about to write. Re-export it from the entry file.
 * Too large a request gets an address outside the memory, which the host answers with the import's error value:
 * the plugin then sees a file that can't be read instead of dying of exhausted memory.
 */
export function alloc(bytes: i32): i32 {
  if (bytes < 0 || bytes > MAX_ALLOC_BYTES) return -1;
  // Pinned, because between this call and the use of the result nothing but the host knows of it.
  return <i32>__pin(__new(<usize>bytes, idof<ArrayBuffer>()));
}

/** The bytes behind a packed result, without copying them, or null for the error value. */
export function takeBytes(packed: i64): Uint8Array | null {
  if (packed == -1) return null;
  return takeAllocated(<i32>(packed >> 32), <i32>(packed & 0xffffffff));
}

/** The bytes that the host wrote to what `alloc` returned. */
export function takeAllocated(pointer: i32, bytes: i32): Uint8Array {
  // Pointer 0 with length 0 is a legal empty text and no allocation of ours.
  if (bytes == 0) return new Uint8Array(0);
  const buffer = changetype<ArrayBuffer>(<usize>pointer);
  __unpin(<usize>pointer);
  return Uint8Array.wrap(buffer, 0, bytes);
}

/** The text behind a packed result, or null for the error value. */
export function takeText(packed: i64): string | null {
  const bytes = takeBytes(packed);
  return bytes ? decodeText(bytes, 0, bytes.length) : null;
}

/** The text in `bytes` from `start` up to but not including `end`. */
export function decodeText(bytes: Uint8Array, start: i32, end: i32): string {
  const from = bytes.dataStart + <usize>start;
  const length = <usize>(end - start);
  if (!isAscii(from, length)) return String.UTF8.decodeUnsafe(from, length);
  const text = __new(length << 1, idof<String>());
  for (let i: usize = 0; i < length; i++) store<u16>(text + (i << 1), <u16>load<u8>(from + i));
  return changetype<string>(text);
}

/** UTF-8 of a text; half a surrogate pair becomes U+FFFD, because hosts refuse bytes that are not UTF-8. */
export function encodeText(text: string): ArrayBuffer {
  const length = text.length;
  const from = changetype<usize>(text);
  const buffer = new ArrayBuffer(length);
  const to = changetype<usize>(buffer);
  // Instructions are counted, and plain loops cost a fraction of the library's: most texts are ASCII to the end.
  let all: u32 = 0;
  for (let i = 0; i < length; i++) {
    const unit = <u32>load<u16>(from + (<usize>i << 1));
    all |= unit;
    store<u8>(to + <usize>i, <u8>unit);
  }
  return all < 0x80 ? buffer : String.UTF8.encode(text, false, String.UTF8.ErrorMode.REPLACE);
}

function isAscii(from: usize, length: usize): bool {
  const end = from + length;
  let all: u32 = 0;
  for (; from + 4 <= end; from += 4) all |= load<u32>(from);
  for (; from < end; from++) all |= <u32>load<u8>(from);
  return (all & 0x80808080) == 0;
}

/** Packs a text as the result of `run`. It stays allocated: hosts use an instance for one call. */
export function packText(text: string): i64 {
  const buffer = encodeText(text);
  const pointer = __pin(changetype<usize>(buffer));
  return ((<i64>pointer) << 32) | <i64>buffer.byteLength;
}
