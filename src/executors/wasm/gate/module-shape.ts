import type { Signature, ValType } from './value-type.ts';

/** A stretch of a module’s bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface ImportEntry {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  /** Of functions only. */
  readonly typeIndex?: number;
}

export interface ExportEntry {
  readonly name: string;
  readonly kind: ExternKind;
  readonly index: number;
}

export interface TableShape {
  readonly type: ValType;
  readonly min: number;
  readonly max?: number;
}

export interface MemoryShape {
  readonly minPages: number;
  readonly maxPages?: number;
}

/** What a module declares, as far as the gate needs to know it. Imported functions come first in `functionTypes`. */
export interface ModuleShape {
  types: Signature[];
  imports: ImportEntry[];
  /** Index into `types`, per function. */
  functionTypes: number[];
  importedFunctions: number;
  tables: TableShape[];
  memories: MemoryShape[];
  globals: number;
  exports: ExportEntry[];
  startFunction?: number;
  elementSegments: number;
  /** Of the DataCount section; without one no instruction may name a data segment. */
  dataCount?: number;
  dataSegments: number;
  functionBodies: ByteRange[];
  /** Contents of the sections by id, custom sections left out. */
  sections: Map<number, ByteRange>;
}

export const EXTERN_KINDS = ['function', 'table', 'memory', 'global'] as const;
export type ExternKind = (typeof EXTERN_KINDS)[number];

/** Section ids (specification §5.5.2). */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

/** The order in which sections must come; each at most once. */
export const SECTION_ORDER: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
