import { readFileSync } from 'node:fs';

import wabt from 'wabt';

/** Features that some fixtures use only to be refused for them. */
const FEATURES = {
  exceptions: true,
  threads: true,
  tail_call: true,
  memory64: true,
  extended_const: true,
  relaxed_simd: true,
  function_references: true,
};

/** Assembles WebAssembly text to a binary. */
export async function assembleWat(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const assembler = await wabt();
  const module = assembler.parseWat('fixture.wat', text, FEATURES);
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

/** Assembles `test/fixtures/wasm/<name>.wat`; each is named after its one misbehaviour. */
export async function loadWasmFixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return assembleWat(readFileSync(new URL(`../fixtures/wasm/${name}.wat`, import.meta.url), 'utf8'));
}

/** A number as unsigned LEB128. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

/** A section, or anything else that is preceded by its size; without an id only the size is. */
export const sized = (content: readonly number[], id?: number): number[] => [
  ...(id === undefined ? [] : [id]),
  ...leb(content.length),
  ...content,
];

/** A module of such sections. */
export const encodeModule = (...sections: readonly number[][]): Uint8Array<ArrayBuffer> =>
  new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, ...sections.flat()]);

/**
 * A module whose one function `() -> ()` has these instructions (its `end` is added). It also has the type 1
 * `(i32) -> i32`, a memory, a table, two mutable globals (`i32`, `i64`), an element and a data segment for them to name.
 */
export function encodeInstructions(instructions: readonly number[]): Uint8Array<ArrayBuffer> {
  return encodeModule(
    sized([2, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f], 1),
    sized([1, 0], 3),
    sized([1, 0x70, 0, 1], 4),
    sized([1, 0, 1], 5),
    sized([2, 0x7f, 1, 0x41, 0, 0x0b, 0x7e, 1, 0x42, 0, 0x0b], 6),
    sized([1, 1, 0, 1, 0], 9),
    sized([1], 12),
    sized([1, ...sized([1, 1, 0x7f, ...instructions, 0x0b])], 10),
    sized([1, 1, 1, 0], 11),
  );
}

/** What of the WebAssembly interface the tests use beyond what the server does. */
interface Engine {
  Module: {
    new (bytes: Uint8Array): object;
    exports(module: object): { name: string; kind: string }[];
    imports(module: object): { module: string; name: string; kind: string }[];
    customSections(module: object, name: string): ArrayBuffer[];
  };
  Instance: new (module: object, imports?: Record<string, Record<string, unknown>>) => { exports: Record<string, unknown> };
}
const { Module, Instance } = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly;

export type WasmCall = (...args: unknown[]) => unknown;

/** A live instance, its exports by what they are. */
export interface WasmInstance {
  readonly functionNames: string[];
  call(name: string, ...args: unknown[]): unknown;
  global(name: string): { value: unknown };
  memory(name?: string): { readonly buffer: ArrayBuffer; grow(pages: number): number };
  table(name: string): { readonly length: number; grow(entries: number): number };
}

/** Compiles and instantiates. */
export function instantiateWasm(bytes: Uint8Array, imports: Record<string, Record<string, unknown>> = {}): WasmInstance {
  const { exports } = new Instance(new Module(bytes), imports);
  return {
    functionNames: Object.keys(exports).filter((name) => typeof exports[name] === 'function'),
    call: (name, ...args) => (exports[name] as WasmCall)(...args),
    global: (name) => exports[name] as { value: unknown },
    memory: (name = 'memory') => exports[name] as ReturnType<WasmInstance['memory']>,
    table: (name) => exports[name] as ReturnType<WasmInstance['table']>,
  };
}

export const listWasmExports = (bytes: Uint8Array): { name: string; kind: string }[] => Module.exports(new Module(bytes));
export const listWasmImports = (bytes: Uint8Array): { name: string }[] => Module.imports(new Module(bytes));
export const countCustomSections = (bytes: Uint8Array, name: string): number => Module.customSections(new Module(bytes), name).length;
