import { normalize } from 'node:path';

import type { ExecutionPaths } from '../executor.ts';

/** A capability that names files: `read:fs:<path>` or `write:fs:<path>`. */
export interface FileGrant {
  readonly text: string;
  readonly access: 'read' | 'write';
  /** Absolute. */
  readonly path: string;
}
export type ParsedGrant =
  | { readonly kind: 'files'; readonly grant: FileGrant }
  /** Of another kind, or of what every sandbox has. */
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly reason: string };

const CAPABILITY = /^(read|write):fs:(.*)$/s;
const ANCHOR = /^\$(ROOT|PLUGIN|DATA|RUN)(?=\/|$)/;
const ANCHORS: Readonly<Record<string, (paths: ExecutionPaths) => string>> = {
  ROOT: ({ root }) => root,
  PLUGIN: ({ plugin }) => plugin,
  DATA: ({ data }) => data,
};
/** Wildcards as capabilities have them. */
const WILDCARD = /[*?]/;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * Reads one capability. A path means all beneath it, with `/**` at its end too; any other wildcard is refused, for a mount
 * shows a file or a whole directory.
 */
export function parseFileGrant(text: string, paths: ExecutionPaths): ParsedGrant {
  const [, access, whole] = CAPABILITY.exec(text) ?? [];
  if (access === undefined || whole === undefined) return { kind: 'none' };
  const refuse = (reason: string): ParsedGrant => ({ kind: 'refused', reason: `${text}: ${reason}` });
  const path = whole.replace(/\/\*\*$/, '').replace(/\/$/, '') || '/';
  const anchor = ANCHOR.exec(path)?.[1];
  // The run directory is each process’s own.
  if (anchor === 'RUN') return { kind: 'none' };
  if (WILDCARD.test(path)) return refuse('a sandbox shows whole directories and files, and no pattern of them');
  if (CONTROL.test(path)) return refuse('the path holds a control character');
  const placed = anchor === undefined ? path : `${ANCHORS[anchor]?.(paths) ?? ''}${path.slice(anchor.length + 1)}`;
  if (!placed.startsWith('/')) return refuse('the path must be absolute or begin with $ROOT, $PLUGIN, $DATA or $RUN');
  if (normalize(placed) !== placed) return refuse('the path holds empty, "." or ".." segments');
  return { kind: 'files', grant: { text, access: access === 'write' ? 'write' : 'read', path: placed } };
}

/** The segments of an absolute path. */
export const splitPath = (path: string): readonly string[] => path.split('/').filter((segment) => segment !== '');

/** Whether a path is a directory or lies in it. */
export const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
