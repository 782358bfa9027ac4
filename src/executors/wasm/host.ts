import type { SandboxedProcess } from '../sandbox/sandbox.ts';
import { allocateFrame, createFrameReader, FRAME, HEADER_BYTES, type ModuleMeta } from './channel.ts';
import { encodeReply, readHostCall, readResult, type AzReply, type HostResult } from './host-frames.ts';

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

export type HostAnswer =
  | ({ readonly kind: 'answered' } & HostResult)
  /** The process died under the call, killed or not; `hostCalls` is what it had asked for until then. */
  | { readonly kind: 'died'; readonly reason: string; readonly hostCalls: number };

/** One host process. It runs one call at a time; `call` must not be called while another is under way. */
export interface Host {
  readonly tier: SandboxedProcess['tier'];
  readonly ready: Promise<void>;
  isAlive(): boolean;
  has(digest: string): boolean;
  call(call: HostCall): Promise<HostAnswer>;
  kill(reason: string): Promise<void>;
  /** Settles with the reason when the process is gone. */
  readonly gone: Promise<string>;
}

/** The call that runs now, and what its guest has had so far: the host process counts too, but a broken one may not. */
interface Current {
  readonly call: HostCall;
  readonly settle: (answer: HostAnswer) => void;
  hostCalls: number;
  logBytes: number;
  /** The guest waits for a reply; nothing else may come from it until then. */
  isWaiting: boolean;
}

/** Modules that a host process keeps compiled; the least recently called goes first. */
const MAX_MODULES = 32;
const MAX_MODULE_BYTES = 64 * 1024 * 1024;

/** Speaks the channel protocol with a spawned host process. Anything that the protocol does not allow kills the process. */
export function connectHost(process: SandboxedProcess): Host {
  const modules = new Map<string, { id: number; bytes: number }>();
  let nextModuleId = 1;
  let current: Current | undefined;
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
    if (current.isWaiting) return breakOff(`frame ${type} before it had its reply`);
    if (type === FRAME.result) return answer(current, payload);
    if (type !== FRAME.log && type !== FRAME.hostCall) return breakOff(`frame ${type}`);
    if (++current.hostCalls > current.call.hostCalls) return breakOff('more host calls than it may make');
    if (type === FRAME.hostCall) return answerHostCall(current, payload);
    current.logBytes += payload.length;
    if (current.logBytes > current.call.logBytes) return breakOff('more log than it may write');
    current.call.onLog(payload.toString('utf8'));
  });

  const answer = ({ settle }: Current, payload: Buffer): void => {
    const result = readResult(payload);
    current = undefined;
    settle({ kind: 'answered', ...result });
  };

  const answerHostCall = (asking: Current, payload: Buffer): void => {
    const { index, strings } = readHostCall(payload);
    const reply = asking.call.onHostCall(index, strings);
    if (!(reply instanceof Promise)) return void process.stdin.write(encodeReply(reply));
    asking.isWaiting = true;
    void reply.then((later) => {
      asking.isWaiting = false;
      if (current === asking) process.stdin.write(encodeReply(later));
    });
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
    current?.settle({ kind: 'died', reason, hostCalls: current.hostCalls });
    current = undefined;
    return reason;
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
        if (dead) return settle({ kind: 'died', reason: 'the host process was already gone', hostCalls: 0 });
        current = { call, settle, hostCalls: 0, logBytes: 0, isWaiting: false };
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
