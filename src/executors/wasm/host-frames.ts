import { allocateFrame, FRAME, HEADER_BYTES, MAX_FRAME_BYTES, RESULT, type ResultStatus } from './channel.ts';

/** What an import gives back: text, or one of the codes that stand for an error or a bare result. */
export type AzReply = { readonly text: string } | { readonly code: number };

export interface HostResult {
  readonly status: ResultStatus;
  readonly text: string;
  /** Of the status `structured` alone. */
  readonly structured?: Readonly<Record<string, unknown>>;
  readonly fuelUsed: number;
  readonly hostCalls: number;
  readonly logBytesDropped: number;
}

const RESULT_HEADER_BYTES = 17;
const REPLY_HEADER_BYTES = 5;
/** Any reply without text is the packed error value −1 in the guest. */
const NO_TEXT = -1;
const STATUSES: ReadonlySet<number> = new Set(Object.values(RESULT));
const isStatus = (value: number): value is ResultStatus => STATUSES.has(value);

/**
 * Reads a `result` frame. Throws RangeError or SyntaxError for one that our host process cannot have written: a guest
 * that has broken out of the engine speaks through the same pipe.
 */
export function readResult(payload: Buffer): HostResult {
  const status = payload.readUInt8(0);
  if (!isStatus(status)) throw new RangeError(`a result of status ${status}`);
  const fuelUsed = payload.readDoubleLE(1);
  if (!(fuelUsed >= 0)) throw new RangeError(`a result of ${fuelUsed} fuel`);
  const hostCalls = payload.readUInt32LE(9);
  const logBytesDropped = payload.readUInt32LE(13);
  const text = payload.toString('utf8', RESULT_HEADER_BYTES);
  const result = { status, text, fuelUsed, hostCalls, logBytesDropped };
  if (status !== RESULT.structured) return result;
  const structured: unknown = JSON.parse(text);
  if (typeof structured !== 'object' || structured === null || Array.isArray(structured))
    throw new RangeError('a structured result without an object');
  return { ...result, structured: structured as Record<string, unknown> };
}

/** Reads a `hostCall` frame: the import by its index, and its strings. Throws RangeError for one that is cut short. */
export function readHostCall(payload: Buffer): { readonly index: number; readonly strings: readonly string[] } {
  const index = payload.readUInt8(0);
  const strings: string[] = [];
  for (let offset = 1; offset < payload.length;) {
    const end = offset + 4 + payload.readUInt32LE(offset);
    if (end > payload.length) throw new RangeError(`a string that ends ${end - payload.length} bytes after its frame`);
    strings.push(payload.toString('utf8', offset + 4, end));
    offset = end;
  }
  return { index, strings };
}

/** A `reply` frame; text that no frame can hold becomes the error value. */
export function encodeReply(reply: AzReply): Buffer {
  const textBytes = 'text' in reply ? Buffer.byteLength(reply.text) : 0;
  if (!('text' in reply) || textBytes + REPLY_HEADER_BYTES >= MAX_FRAME_BYTES) {
    const frame = allocateFrame(FRAME.reply, REPLY_HEADER_BYTES);
    frame.writeUInt8(0, HEADER_BYTES);
    frame.writeInt32LE('text' in reply ? NO_TEXT : reply.code, HEADER_BYTES + 1);
    return frame;
  }
  const frame = allocateFrame(FRAME.reply, REPLY_HEADER_BYTES + textBytes);
  frame.writeUInt8(1, HEADER_BYTES);
  frame.writeInt32LE(0, HEADER_BYTES + 1);
  frame.write(reply.text, HEADER_BYTES + REPLY_HEADER_BYTES, 'utf8');
  return frame;
}
