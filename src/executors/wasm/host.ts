import type { SandboxedProcess } from '../sandbox/sandbox.ts';
import { allocateFrame, createFrameReader, FRAME, HEADER_BYTES, type ModuleMeta, type ResultStatus } from './channel.ts';

/** A module as the host process gets it: gated and rewritten, never the plugin’s own bytes. */
export interface HostModule {
  readonly digest: string;
  readonly meta: ModuleMeta;
  readonly bytes: Uint8Array;
}

export interface HostCall {
  readonly module: HostModule;
  readonly fuel: number;
  readonly hostCalls: number;
  readonly logBytes: number;
  readonly outputBytes: number;
  readonly request: string;
  onLog(line: string): void;
  /** Answers one import; `name` by index into AZ_IMPORTS. Never rejects. */
  onHostCall(index: number, strings: readonly string[]): AzReply | Promise<AzReply>;
}

/** What an import gives back: text, or one of the codes that stand for an error or a bare result. */
export type AzReply = { readonly text: string } | { readonly code: number };

export type HostAnswer =
  | {
      readonly kind: 'answered';
      readonly status: ResultStatus;
      readonly text: string;
      readonly fuelUsed: number;
      readonly hostCalls: number;
      readonly logBytesDropped: number;
    }
  /** The process died under the call, killed or not. */
  | { readonly kind: 'died'; readonly reason: string };

/** One host process. It runs one call at a time; `call` must not be called while another is under way. */
export interface Host {
  readonly tier: SandboxedProcess['tier'];
  readonly ready: Promise<void>;
  isAlive(): boolean;
  has(digest: string): boolean;
  call(call: HostCall): Promise<HostAnswer>;
  kill(reason: string): Promise<void>;
  readonly gone: Promise<void>;
}

/** Modules that a host process keeps compiled; the least recently called goes first. */
const MAX_MODULES = 32;
const MAX_MODULE_BYTES = 64 * 1024 * 1024;

/** Speaks the channel protocol with a spawned host process. Anything that the protocol does not allow kills the process. */
export function connectHost(process: SandboxedProcess): Host {
  const modules = new Map<string, { id: number; bytes: number }>();
  let nextModuleId = 1;
  let current: { call: HostCall; settle: (answer: HostAnswer) => void } | undefined;
  let deathReason: string | undefined;
  let dead = false;
  let announceReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => (announceReady = resolve));

  const kill = async (reason: string): Promise<void> => {
    deathReason ??= reason;
    await process.kill();
  };
  const breakOff = (reason: string): void => void kill(`the host process broke its protocol: ${reason}`);

  const readFrame = createFrameReader((type, payload) => {
    if (type === FRAME.ready) return announceReady();
    if (!current) return breakOff(`frame ${type} outside a call`);
    if (type === FRAME.log) return current.call.onLog(payload.toString('utf8'));
    if (type === FRAME.hostCall) return answerHostCall(current.call, payload);
    if (type !== FRAME.result) return breakOff(`frame ${type}`);
    const { settle } = current;
    current = undefined;
    settle({
      kind: 'answered',
      status: payload.readUInt8(0) as ResultStatus,
      fuelUsed: payload.readDoubleLE(1),
      hostCalls: payload.readUInt32LE(9),
      logBytesDropped: payload.readUInt32LE(13),
      text: payload.toString('utf8', 17),
    });
  });

  const answerHostCall = (call: HostCall, payload: Buffer): void => {
    const strings: string[] = [];
    for (let offset = 1; offset < payload.length;) {
      const length = payload.readUInt32LE(offset);
      strings.push(payload.toString('utf8', offset + 4, offset + 4 + length));
      offset += 4 + length;
    }
    const reply = call.onHostCall(payload.readUInt8(0), strings);
    if (reply instanceof Promise) {
      void reply.then((later) => {
        if (current?.call === call) process.stdin.write(encodeReply(later));
      });
    } else process.stdin.write(encodeReply(reply));
  };

  process.stdout.on('data', (chunk: Buffer) => {
    try {
      readFrame(chunk);
    } catch (error) {
      breakOff(error instanceof Error ? error.message : String(error));
    }
  });
  // A write to a process that has just died; `exited` tells the call.
  process.stdin.on('error', () => {});
  let stderrTail = '';
  process.stderr.on('data', (chunk: Buffer) => (stderrTail = (stderrTail + chunk.toString('utf8')).slice(-500)));

  const gone = process.exited.then(({ code, signal }) => {
    dead = true;
    announceReady();
    const reason = deathReason ?? `the host process ended with ${signal ?? `code ${code}`}${stderrTail ? `: ${stderrTail.trim()}` : ''}`;
    current?.settle({ kind: 'died', reason });
    current = undefined;
  });

  const load = (module: HostModule): number => {
    const known = modules.get(module.digest);
    if (known) {
      modules.delete(module.digest);
      modules.set(module.digest, known);
      return known.id;
    }
    const id = nextModuleId++;
    let total = module.bytes.length;
    for (const loaded of modules.values()) total += loaded.bytes;
    for (const [digest, loaded] of modules) {
      if (modules.size < MAX_MODULES && total <= MAX_MODULE_BYTES) break;
      modules.delete(digest);
      total -= loaded.bytes;
      const frame = allocateFrame(FRAME.unload, 4);
      frame.writeUInt32LE(loaded.id, HEADER_BYTES);
      process.stdin.write(frame);
    }
    modules.set(module.digest, { id, bytes: module.bytes.length });
    const meta = Buffer.from(JSON.stringify(module.meta));
    const frame = allocateFrame(FRAME.load, 8 + meta.length + module.bytes.length);
    frame.writeUInt32LE(id, HEADER_BYTES);
    frame.writeUInt32LE(meta.length, HEADER_BYTES + 4);
    meta.copy(frame, HEADER_BYTES + 8);
    frame.set(module.bytes, HEADER_BYTES + 8 + meta.length);
    process.stdin.write(frame);
    return id;
  };

  return {
    tier: process.tier,
    ready,
    gone,
    isAlive: () => !dead && deathReason === undefined,
    has: (digest) => modules.has(digest),
    kill,
    call: (call) =>
      new Promise((settle) => {
        if (dead) return settle({ kind: 'died', reason: 'the host process was already gone' });
        current = { call, settle };
        const id = load(call.module);
        const requestBytes = Buffer.byteLength(call.request);
        const frame = allocateFrame(FRAME.call, 24 + requestBytes);
        frame.writeUInt32LE(id, HEADER_BYTES);
        frame.writeDoubleLE(call.fuel, HEADER_BYTES + 4);
        frame.writeUInt32LE(call.hostCalls, HEADER_BYTES + 12);
        frame.writeUInt32LE(call.logBytes, HEADER_BYTES + 16);
        frame.writeUInt32LE(call.outputBytes, HEADER_BYTES + 20);
        frame.write(call.request, HEADER_BYTES + 24, 'utf8');
        process.stdin.write(frame);
      }),
  };
}

function encodeReply(reply: AzReply): Buffer {
  const isText = 'text' in reply;
  const textBytes = isText ? Buffer.byteLength(reply.text) : 0;
  const frame = allocateFrame(FRAME.reply, 5 + textBytes);
  frame.writeUInt8(isText ? 1 : 0, HEADER_BYTES);
  frame.writeInt32LE(isText ? 0 : reply.code, HEADER_BYTES + 1);
  if (isText) frame.write(reply.text, HEADER_BYTES + 5, 'utf8');
  return frame;
}
