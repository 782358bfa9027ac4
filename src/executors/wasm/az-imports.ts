import type { Signature } from './gate/value-type.ts';

/**
 * The imports that a module may have, all of module `az`, with their signatures: the one source for the gate, the host
 * process and the host side. Strings travel as pointer and length; a packed `i64` is `pointer << 32 | length`, and
 * -1 is an error. Semantics: agentzero.md §2.
 */
export const AZ_IMPORTS = {
  /** path → packed text */
  read_file: { params: ['i32', 'i32'], results: ['i64'] },
  /** path, content → 0 done, 1 not */
  write_file: { params: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] },
  /** path, content → 0 done, 1 not */
  append_file: { params: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] },
  /** path → packed JSON array of names */
  list_dir: { params: ['i32', 'i32'], results: ['i64'] },
  /** path → 0 there now, 1 not */
  create_dir: { params: ['i32', 'i32'], results: ['i32'] },
  /** path → 0 exists, 1 missing, -1 outside */
  file_exists: { params: ['i32', 'i32'], results: ['i32'] },
  /** → packed local RFC 3339 time */
  now: { params: [], results: ['i64'] },
  /** message → nothing */
  log: { params: ['i32', 'i32'], results: [] },
  /** url, method, headers, body → packed JSON `{status, body}` */
  http_request: { params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], results: ['i64'] },
  /** program, JSON array of arguments → packed JSON `{exit_code, stdout, stderr}` */
  run_command: { params: ['i32', 'i32', 'i32', 'i32'], results: ['i64'] },
} as const satisfies Record<string, Signature>;

/** The name of an import that a module may have. */
export type AzImportName = keyof typeof AZ_IMPORTS;

/** Whether an import of module `az` exists. */
export const isAzImport = (name: string): name is AzImportName => Object.hasOwn(AZ_IMPORTS, name);
