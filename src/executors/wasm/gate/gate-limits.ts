/**
 * What a module may have at most. Engines allow far more (V8: 1,000,000 of most things); these bound the time and the
 * memory that reading and compiling a hostile module can take, and are well above what compilers make.
 */
export const GATE_LIMITS = {
  moduleBytes: 32 * 1024 * 1024,
  /** Larger single functions keep an engine’s optimising compiler busy for seconds (sandbox.md §A, “Bombs”). */
  functionBytes: 1024 * 1024,
  /** A function with its charges; only unnatural code doubles. V8 ends at 7,654,321. */
  meteredFunctionBytes: 2 * 1024 * 1024,
  meteredModuleBytes: 64 * 1024 * 1024,
  types: 10_000,
  params: 256,
  results: 64,
  imports: 1_000,
  functions: 100_000,
  tables: 16,
  /** Initial entries of all tables together, and the maximum of each after the rewrite. */
  tableEntries: 65_536,
  globals: 10_000,
  exports: 10_000,
  nameBytes: 4_096,
  elementSegments: 10_000,
  elementEntries: 1_000_000,
  dataSegments: 50_000,
  /** V8 allows 50,000 of parameters and locals together, of which metering takes one. */
  locals: 49_999,
  /** Of all functions together; declaring thousands takes five bytes, checking them takes time each. */
  localsTogether: 2_000_000,
  /**
   * Values that calls, blocks and branches move, by their types, in all functions together. Two bytes that call a
   * function of 256 parameters cost an engine's validator 256 steps: 32 MiB of them took V8 9.5 s.
   */
  valuesMoved: 32_000_000,
  blockDepth: 4_096,
  branchTargets: 65_000,
  customSections: 1_000,
  /** Problems told in one refusal. */
  problems: 20,
} as const;

/** Bytes of a page of WASM memory. */
export const PAGE_BYTES = 65_536;
/** Pages that 32-bit memory can have. */
export const MAX_PAGES = 65_536;
