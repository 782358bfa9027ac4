import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
export const PLUGINS = join(REPOSITORY, 'plugins');

export interface GuestReply {
  readonly success: boolean;
  readonly output: string | null;
  readonly error: string | null;
}

/** Makes a request while the caller waits; gives the ABI’s `{status, body}` as JSON. */
export type HttpRequester = (url: string, options: { readonly method: string; readonly headers: string }) => string;

export interface GuestHost {
  readonly root: string;
  /** What `now` answers. */
  readonly now?: string;
  /** What `http_request` does; it throws for a refusal. Absent refuses all. */
  readonly request?: HttpRequester;
  /** Collects the guest’s log. */
  readonly logs?: string[];
}

/** Runs scripts/build-plugins.mjs; rejects when it fails, with what it wrote. */
export function buildPlugins(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, [join(REPOSITORY, 'scripts/build-plugins.mjs'), ...args]);
}

export function loadGuest(path: string): WebAssembly.Module {
  return new WebAssembly.Module(new Uint8Array(readFileSync(path)));
}

interface ModuleEntry {
  readonly module: string;
  readonly name: string;
  readonly kind: string;
}

/** The part of `WebAssembly.Module` that the type declarations leave out. */
const Reflection = WebAssembly.Module as unknown as Readonly<Record<'imports' | 'exports', (module: WebAssembly.Module) => ModuleEntry[]>>;

export const listImports = (module: WebAssembly.Module): readonly ModuleEntry[] => Reflection.imports(module);
export const listExports = (module: WebAssembly.Module): readonly string[] => Reflection.exports(module).map((entry) => entry.name);

/** Calls a guest the way that agentzero.md §2 describes: a fresh instance, one request, one reply. */
export function callGuest(module: WebAssembly.Module, request: Readonly<Record<string, unknown>>, host: GuestHost): GuestReply {
  return JSON.parse(callGuestRaw(module, JSON.stringify({ ...request, root: host.root }), host)) as GuestReply;
}

/** The same with the request as text, for requests that are none. */
export function callGuestRaw(module: WebAssembly.Module, request: string, host: GuestHost): string {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const bytesAt = (pointer: number, length: number): Uint8Array => new Uint8Array(exports.memory.buffer, pointer >>> 0, length);
  const textAt = (pointer: number, length: number): string => utf8.decode(bytesAt(pointer, length));
  const give = (text: string | Uint8Array | undefined): bigint => {
    if (text === undefined) return -1n;
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    const pointer = exports.alloc(bytes.length) >>> 0;
    if (pointer + bytes.length > exports.memory.buffer.byteLength) return -1n;
    bytesAt(pointer, bytes.length).set(bytes);
    return (BigInt(pointer) << 32n) | BigInt(bytes.length);
  };
  const inside = (pointer: number, length: number): string => {
    const path = resolve(host.root, textAt(pointer, length));
    if (path !== host.root && relative(host.root, path).startsWith('..')) throw new Error('outside');
    return path;
  };
  const attempt = <T>(action: () => T, otherwise: T): T => {
    try {
      return action();
    } catch {
      return otherwise;
    }
  };
  const readText = (path: string): Uint8Array => {
    const bytes = readFileSync(path);
    utf8.decode(bytes);
    return bytes;
  };
  const az = {
    read_file: (p: number, n: number) => give(attempt(() => readText(inside(p, n)), undefined)),
    write_file: (p: number, n: number, c: number, m: number) => attempt(() => (writeFileSync(inside(p, n), textAt(c, m)), 0), 1),
    append_file: (p: number, n: number, c: number, m: number) => attempt(() => (appendFileSync(inside(p, n), textAt(c, m)), 0), 1),
    list_dir: (p: number, n: number) => give(attempt(() => JSON.stringify(readdirSync(inside(p, n)).toSorted()), undefined)),
    create_dir: (p: number, n: number) => attempt(() => (mkdirSync(inside(p, n), { recursive: true }), 0), 1),
    file_exists: (p: number, n: number) => attempt(() => (existsSync(inside(p, n)) ? 0 : 1), -1),
    now: () => give(host.now ?? '2026-05-11T14:32:00.123456789-04:00'),
    log: (p: number, n: number) => void host.logs?.push(textAt(p, n)),
    http_request: (...at: [number, number, number, number, number, number, number, number]) =>
      give(attempt(() => host.request?.(textAt(at[0], at[1]), { method: textAt(at[2], at[3]), headers: textAt(at[4], at[5]) }), undefined)),
    run_command: () => give(undefined),
  };
  const exports = new WebAssembly.Instance(module, { az }).exports as unknown as {
    memory: { buffer: ArrayBuffer };
    alloc(size: number): number;
    run(pointer: number, length: number): bigint;
  };
  const input = give(request);
  const packed = exports.run(Number(BigInt.asIntN(32, input >> 32n)), Number(input & 0xffffffffn));
  return textAt(Number(packed >> 32n), Number(packed & 0xffffffffn));
}
