/** The longest UTF-8 sequence, RFC 3629 section 3. */
export const MAX_SEQUENCE_BYTES = 4;

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** Where the character begins that the byte at `at` belongs to; at most 3 bytes before it. */
export function findCharacterStart(bytes: Uint8Array, at: number): number {
  let start = at;
  while (start > 0 && isContinuation(bytes[start])) start -= 1;
  return start;
}

/**
 * The length of the longest prefix of at most `maxBytes` that ends between characters, but at least one character, so
 * that paging always advances. `bytes` is valid UTF-8 from the start of a character on.
 */
export function fitCharacters(bytes: Uint8Array, maxBytes: number): number {
  if (bytes.length <= maxBytes) return bytes.length;
  const end = findCharacterStart(bytes, maxBytes);
  if (end > 0) return end;
  let next = 1;
  while (isContinuation(bytes[next])) next += 1;
  return next;
}
