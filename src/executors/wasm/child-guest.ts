import { AZ_IMPORTS } from './az-imports.ts';
import { allocateFrame, FRAME, HEADER_BYTES, MAX_FRAME_BYTES, RESULT, type ModuleMeta, type ResultStatus } from './channel.ts';
import { ERROR_PACKED, isWithin, pack, unpack } from './packing.ts';
import { readGuestResponse } from './response.ts';

export interface HostReply {
  readonly isText: boolean;
  readonly code: number;
  readonly text: Buffer;
}

export interface GuestCall {
  readonly fuel: number;
  readonly hostCalls: number;
  readonly logBytes: number;
  readonly outputBytes: number;
  /** UTF-8 JSON */
  readonly request: Buffer;
}

export interface GuestResult {
  readonly status: ResultStatus;
  readonly text: string;
  readonly fuelUsed: number;
  readonly hostCalls: number;
  readonly logBytesDropped: number;
}

interface GuestRunnerOptions {
  askServer(frame: Buffer): HostReply;
  sendLog(frame: Buffer): void;
}

interface LoadedModule {
  readonly module: WebAssembly.Module;
  readonly meta: ModuleMeta;
  /** A fresh instance in which no guest code has run yet. */
  spare: WebAssembly.Instance | undefined;
  /** The memory of the last instance that was made. */
  memory: WebAssembly.Memory | undefined;
}

/** The call that runs now; imports are shared by all instances and look here. */
interface Running {
  readonly call: GuestCall;
  readonly memory: WebAssembly.Memory | undefined;
  readonly alloc: ((size: number) => number) | undefined;
  readonly fuel: WebAssembly.Global;
  hostCalls: number;
  logBytes: number;
  logBytesDropped: number;
  depth: number;
  overHostCalls: boolean;
}

/** An import that calls `alloc` may be called from `alloc`; deeper than this the guest gets an error value. */
const MAX_IMPORT_DEPTH = 8;
const WASM_PAGE_BYTES = 65_536;
/** Up to here wiping a memory costs less than letting the system make and unmake one. */
const MAX_WIPED_PAGES = 8;
/** What `write_file` and its kind answer when they did not; `file_exists` has its own (agentzero.md §2). */
const ERROR_CODE = 1;

/** Runs guests one call at a time, each in a fresh instance. */
export function createGuestRunner(options: GuestRunnerOptions) {
  const modules = new Map<number, LoadedModule>();
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let running: Running | undefined;

  /** The bytes of a guest string, or undefined when it lies outside the memory or is not UTF-8. */
  const readString = (state: Running, pointer: number, length: number): Uint8Array | undefined => {
    const from = pointer >>> 0;
    const bytes = length >>> 0;
    if (!state.memory || !isWithin({ pointer: from, length: bytes }, state.memory.buffer.byteLength)) return undefined;
    const view = new Uint8Array(state.memory.buffer, from, bytes);
    try {
      utf8.decode(view);
    } catch {
      return undefined;
    }
    return view;
  };

  /** Copies text into the guest through its own `alloc`; the memory may have grown under that call. */
  const giveText = (state: Running, text: Buffer): bigint => {
    if (!state.alloc || !state.memory) return ERROR_PACKED;
    const pointer = state.alloc(text.length) >>> 0;
    if (!isWithin({ pointer, length: text.length }, state.memory.buffer.byteLength)) return ERROR_PACKED;
    text.copy(new Uint8Array(state.memory.buffer, pointer, text.length));
    return pack({ pointer, length: text.length });
  };

  const callHost = (index: number, name: string, numbers: readonly number[]): HostReply | undefined => {
    const state = running;
    if (!state) return undefined;
    if (++state.hostCalls > state.call.hostCalls) {
      state.overHostCalls = true;
      throw new RangeError('too many host calls');
    }
    const strings: Uint8Array[] = [];
    let payloadBytes = 1;
    for (let i = 0; i + 1 < numbers.length; i += 2) {
      const text = readString(state, numbers[i] ?? 0, numbers[i + 1] ?? 0);
      if (!text) return undefined;
      strings.push(text);
      payloadBytes += 4 + text.length;
    }
    if (name === 'log') {
      sendLog(state, strings[0] ?? new Uint8Array());
      return undefined;
    }
    // No frame holds it; all imports that take this much have an error value.
    if (payloadBytes >= MAX_FRAME_BYTES) return undefined;
    const frame = allocateFrame(FRAME.hostCall, payloadBytes);
    frame[HEADER_BYTES] = index;
    let offset = HEADER_BYTES + 1;
    for (const text of strings) {
      frame.writeUInt32LE(text.length, offset);
      frame.set(text, offset + 4);
      offset += 4 + text.length;
    }
    return options.askServer(frame);
  };

  const sendLog = (state: Running, line: Uint8Array): void => {
    const room = state.call.logBytes - state.logBytes;
    const kept = Math.min(line.length, Math.max(0, room));
    state.logBytes += kept;
    state.logBytesDropped += line.length - kept;
    if (kept === 0 && line.length > 0) return;
    const frame = allocateFrame(FRAME.log, kept);
    frame.set(line.subarray(0, kept), HEADER_BYTES);
    options.sendLog(frame);
  };

  const importText =
    (index: number, name: string) =>
    (...numbers: number[]): bigint => {
      const reply = callHost(index, name, numbers);
      const state = running;
      if (!reply?.isText || !state || state.depth >= MAX_IMPORT_DEPTH) return ERROR_PACKED;
      state.depth++;
      try {
        return giveText(state, reply.text);
      } catch (error) {
        if (state.overHostCalls) throw error;
        // A trap inside `alloc` is the guest’s error value, never a trap of the import (agentzero.md §2).
        return ERROR_PACKED;
      } finally {
        state.depth--;
      }
    };
  const importCode =
    (index: number, name: string, failure: number) =>
    (...numbers: number[]): number =>
      callHost(index, name, numbers)?.code ?? failure;

  const az: Record<string, (...numbers: number[]) => bigint | number> = {};
  Object.entries(AZ_IMPORTS).forEach(([name, signature], index) => {
    az[name] = signature.results[0] === 'i64' ? importText(index, name) : importCode(index, name, name === 'file_exists' ? -1 : ERROR_CODE);
  });

  const prepare = (id: number): void => {
    const loaded = modules.get(id);
    if (!loaded || loaded.spare) return;
    const memory = renewMemory(loaded);
    loaded.memory = memory;
    loaded.spare = new WebAssembly.Instance(loaded.module, memory ? { az, plugbridge: { memory } } : { az });
  };

  return {
    load(id: number, meta: ModuleMeta, bytes: Buffer): void {
      modules.set(id, { module: new WebAssembly.Module(bytes), meta, spare: undefined, memory: undefined });
      try {
        prepare(id);
      } catch {
        // Active segments can be out of bounds; the call that wants the instance meets the same error and reports it.
      }
    },
    unload: (id: number): boolean => modules.delete(id),
    /** Makes the instance for the next call. */
    prepare(id: number): void {
      try {
        prepare(id);
      } catch {
        // As in `load`.
      }
    },
    run(id: number, call: GuestCall): GuestResult {
      let state: Running | undefined;
      let answer: { status: ResultStatus; text: string };
      try {
        prepare(id);
        const loaded = modules.get(id);
        const instance = loaded?.spare;
        if (!loaded || !instance) throw new Error(`module ${id} is not loaded`);
        loaded.spare = undefined;
        const exports = instance.exports;
        state = {
          call,
          memory: exports['memory'] as WebAssembly.Memory | undefined,
          alloc: exports['alloc'] as ((size: number) => number) | undefined,
          fuel: exports[loaded.meta.fuelExport] as WebAssembly.Global,
          hostCalls: 0,
          logBytes: 0,
          logBytesDropped: 0,
          depth: 0,
          overHostCalls: false,
        };
        state.fuel.value = BigInt(call.fuel);
        running = state;
        if (loaded.meta.startExport !== undefined) (exports[loaded.meta.startExport] as () => void)();
        answer = callEntry(loaded.meta, exports, state);
      } catch (error) {
        answer = explain(error, state);
        const loaded = modules.get(id);
        if (loaded) loaded.memory = undefined;
      } finally {
        running = undefined;
      }
      const left = state ? Number(state.fuel.value) : call.fuel;
      return {
        status: answer.status,
        text: answer.text,
        fuelUsed: call.fuel - Math.max(0, left),
        hostCalls: state?.hostCalls ?? 0,
        logBytesDropped: state?.logBytesDropped ?? 0,
      };
    },
  };

  function callEntry(meta: ModuleMeta, exports: Record<string, unknown>, state: Running): { status: ResultStatus; text: string } {
    if (meta.entry === '_start') {
      (exports['_start'] as () => void)();
      return { status: RESULT.ok, text: '' };
    }
    if (meta.entry === 'main') return { status: RESULT.ok, text: `exit code: ${(exports['main'] as () => number)()}` };
    if (meta.entry === 'none') return { status: RESULT.ok, text: 'module loaded (no _start or main export)' };
    const input = giveText(state, state.call.request);
    if (input === ERROR_PACKED)
      return { status: RESULT.malformed, text: `"alloc" gave no room for a request of ${state.call.request.length} bytes` };
    const { pointer } = unpack(input);
    const packed = (exports['run'] as (pointer: number, length: number) => bigint)(pointer, state.call.request.length);
    return readAnswer(state, packed);
  }

  function readAnswer(state: Running, packed: bigint): { status: ResultStatus; text: string } {
    if (packed === ERROR_PACKED) return { status: RESULT.malformed, text: '"run" returned -1, the error value' };
    const { pointer, length } = unpack(packed);
    const available = state.memory?.buffer.byteLength ?? 0;
    if (!state.memory || !isWithin({ pointer, length }, available)) {
      return { status: RESULT.malformed, text: `"run" returned ${length} bytes at ${pointer}, outside the memory of ${available} bytes` };
    }
    if (length > state.call.outputBytes)
      return { status: RESULT.tooLarge, text: `${length} bytes, the limit is ${state.call.outputBytes}` };
    let text: string;
    try {
      text = utf8.decode(new Uint8Array(state.memory.buffer, pointer, length));
    } catch {
      return { status: RESULT.malformed, text: '"run" returned text that is not UTF-8' };
    }
    return readGuestResponse(text);
  }
}

/** A memory of the initial size that is zero all over, as a new instance has to find it: the last one wiped, or a new one. */
function renewMemory({ meta, memory: last }: LoadedModule): WebAssembly.Memory | undefined {
  if (!meta.memory) return undefined;
  const { minPages, maxPages } = meta.memory;
  // Grown memory never shrinks, and a guest can see its size.
  if (!last || minPages > MAX_WIPED_PAGES || last.buffer.byteLength !== minPages * WASM_PAGE_BYTES) {
    return new WebAssembly.Memory({ initial: minPages, maximum: maxPages });
  }
  new Uint8Array(last.buffer).fill(0);
  return last;
}

function explain(error: unknown, state: Running | undefined): { status: ResultStatus; text: string } {
  if (state?.overHostCalls)
    return { status: RESULT.hostCalls, text: `${state.hostCalls} host calls, the limit is ${state.call.hostCalls}` };
  if (state && state.fuel.value < 0n) return { status: RESULT.fuel, text: `the fuel of ${state.call.fuel} is used up` };
  return { status: RESULT.trapped, text: error instanceof Error ? error.message : String(error) };
}
