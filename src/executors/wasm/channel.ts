/**
 * The protocol between the server and a WASM host process: frames over its stdin and stdout.
 * A frame is a u32 length (little endian, of what follows), one byte of type, and the payload.
 */
export const FRAME = {
  /** server → host: `u32 module id, u32 meta length, meta JSON, module bytes` */
  load: 1,
  /** server → host: `u32 module id` */
  unload: 2,
  /** server → host: `u32 module id, f64 fuel, u32 host calls, u32 log bytes, u32 output bytes, request JSON` */
  call: 3,
  /** server → host, the answer to `hostCall`: `u8 is text, i32 code, text` */
  reply: 4,
  /** host → server, once */
  ready: 16,
  /** host → server: `u8 import index, (u32 length, bytes)…`; the guest waits for a `reply` */
  hostCall: 17,
  /** host → server: one log line, unanswered */
  log: 18,
  /** host → server, ends a call: `u8 status, f64 fuel used, u32 host calls, u32 log bytes dropped, text` */
  result: 19,
} as const;

/** How a call ended, as the host process saw it. */
export const RESULT = {
  ok: 0,
  /** the text is the JSON of an object */
  structured: 1,
  /** the guest said that it failed; the text is its error */
  refused: 2,
  /** trap, or an exception of the engine */
  trapped: 3,
  fuel: 4,
  /** the guest’s answer is not what the ABI wants */
  malformed: 5,
  hostCalls: 6,
  tooLarge: 7,
} as const;
export type ResultStatus = (typeof RESULT)[keyof typeof RESULT];

/** What the host process needs to know of a module beside its bytes. */
export interface ModuleMeta {
  readonly entry: 'run' | '_start' | 'main' | 'none';
  readonly startExport?: string;
  readonly fuelExport: string;
  /** Of the memory that the module imports as `plugbridge::memory`; absent when it imports none. */
  readonly memory?: { readonly minPages: number; readonly maxPages: number };
}

export const HEADER_BYTES = 5;
/** No frame is longer: a module of 32 MiB and its meta fit. */
export const MAX_FRAME_BYTES = 40 * 1024 * 1024;

/** Begins a frame of `payloadBytes` and returns it with the payload still to be filled, from `HEADER_BYTES` on. */
export function allocateFrame(type: number, payloadBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payloadBytes);
  frame.writeUInt32LE(payloadBytes + 1, 0);
  frame[4] = type;
  return frame;
}

/** Cuts a byte stream into frames. `push` calls `onFrame` for every whole one; payloads are only valid during the call. */
export function createFrameReader(onFrame: (type: number, payload: Buffer) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let have = 0;
  let need = HEADER_BYTES;
  return (chunk) => {
    parts.push(chunk);
    have += chunk.length;
    if (have < need) return;
    let buffer = parts.length === 1 ? chunk : Buffer.concat(parts, have);
    for (;;) {
      if (buffer.length < HEADER_BYTES) {
        need = HEADER_BYTES;
        break;
      }
      const length = buffer.readUInt32LE(0);
      if (length < 1 || length > MAX_FRAME_BYTES) throw new RangeError(`frame of ${length} bytes`);
      if (buffer.length < 4 + length) {
        need = 4 + length;
        break;
      }
      const frame = buffer.subarray(HEADER_BYTES, 4 + length);
      const type = buffer.readUInt8(4);
      buffer = buffer.subarray(4 + length);
      onFrame(type, frame);
    }
    parts = buffer.length > 0 ? [buffer] : [];
    have = buffer.length;
  };
}
