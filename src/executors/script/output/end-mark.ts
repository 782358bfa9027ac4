/** Finds the mark that a loader ends a stream with: `\0<nonce>:<exit code>\0`. */
export interface EndMark {
  /** Takes the next bytes; returns those of the script. Nothing after the mark is the script’s any more. */
  push(chunk: Buffer): Buffer;
  /** The stream has ended: what was held back is the script’s. */
  end(): Buffer;
  /** The exit code, once the mark has been seen. */
  readonly code: number | undefined;
}

const MAX_CODE_DIGITS = 3;
const NOTHING = Buffer.alloc(0);

/**
 * Follows one output of a script. The host can answer when both streams carry their mark, without waiting for the
 * interpreter to take itself down. Only bytes that may be the beginning of a mark are held back.
 */
export function createEndMark(nonce: string): EndMark {
  const opening = Buffer.from(`\0${nonce}:`);
  const maxBytes = opening.length + MAX_CODE_DIGITS + 1;
  let held: Buffer = NOTHING;
  let code: number | undefined;

  const hold = (bytes: Buffer, from: number): Buffer => {
    held = bytes.subarray(from);
    return bytes.subarray(0, from);
  };

  return {
    get code() {
      return code;
    },
    push(chunk) {
      if (code !== undefined) return NOTHING;
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      held = NOTHING;
      for (let at = bytes.indexOf(opening); at !== -1; at = bytes.indexOf(opening, at + 1)) {
        const rest = bytes.subarray(at + opening.length, at + maxBytes).toString('latin1');
        const match = /^(\d{1,3})\0/.exec(rest);
        if (match) {
          code = Number(match[1]);
          return bytes.subarray(0, at);
        }
        if (bytes.length < at + maxBytes && /^\d{0,3}$/.test(rest)) return hold(bytes, at);
      }
      for (let at = bytes.indexOf(0, Math.max(0, bytes.length - opening.length + 1)); at !== -1; at = bytes.indexOf(0, at + 1)) {
        if (opening.subarray(0, bytes.length - at).equals(bytes.subarray(at))) return hold(bytes, at);
      }
      return bytes;
    },
    end() {
      const rest = held;
      held = NOTHING;
      return rest;
    },
  };
}
