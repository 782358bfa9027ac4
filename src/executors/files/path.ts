import { FileProblem } from './result.ts';

/** Linux’s PATH_MAX; longer ones can’t be opened anyway. */
const MAX_PATH_BYTES = 4096;
const MAX_SEGMENTS = 128;

const LONE_SURROGATE = /\p{Surrogate}/u;
/** Names that Windows maps to devices or other files (Microsoft, “Naming Files, Paths, and Namespaces”). */
const WINDOWS_ALIAS = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)|[. ]$|[:<>"|?*]/i;

export interface PathAnchor {
  /** Absolute and canonical. */
  readonly root: string;
  /** `process.platform` of the file system in question. */
  readonly platform: NodeJS.Platform;
}

/**
 * Reads a plugin’s path as segments below the root; an empty list is the root itself. Relative paths join the root,
 * absolute ones must lie in it by segment, and a `..` anywhere is refused (agentzero.md §2, “PathValidator”).
 * Purely lexical: throws FileProblem before any system call.
 */
export function parsePath(path: string, anchor: PathAnchor): readonly string[] {
  if (path.includes('\0')) throw new FileProblem('null-byte', 'it holds a null byte');
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new FileProblem('bad-path', `it is longer than ${MAX_PATH_BYTES} bytes`);
  if (LONE_SURROGATE.test(path)) throw new FileProblem('bad-path', 'it is not valid Unicode');

  const windows = anchor.platform === 'win32';
  const parts = path.split(windows ? /[\\/]/ : '/');
  if (parts.includes('..')) throw new FileProblem('outside', 'it holds "..", which is never followed');

  const segments = isAbsolute(path, windows) ? belowRoot(parts, anchor) : significant(parts);
  if (segments.length > MAX_SEGMENTS) throw new FileProblem('bad-path', `it is deeper than ${MAX_SEGMENTS} directories`);
  const alias = windows ? segments.find((segment) => WINDOWS_ALIAS.test(segment)) : undefined;
  if (alias !== undefined) throw new FileProblem('bad-path', 'a name in it means something else to Windows');
  return segments;
}

/** Whether a canonical path is the root or lies below it, by path segment: `/data2` does not lie in `/data`. */
export function isInside(canonical: string, root: string, separator = '/'): boolean {
  return canonical === root || canonical.startsWith(root.endsWith(separator) ? root : root + separator);
}

const significant = (parts: readonly string[]): string[] => parts.filter((part) => part !== '' && part !== '.');

const isAbsolute = (path: string, windows: boolean): boolean => path.startsWith('/') || (windows && /^(?:\\|[a-z]:)/i.test(path));

function belowRoot(parts: readonly string[], { root, platform }: PathAnchor): readonly string[] {
  const windows = platform === 'win32';
  const segments = significant(parts);
  const anchor = significant(root.split(windows ? /[\\/]/ : '/'));
  const matches = anchor.every((part, index) => isSame(part, segments[index], windows));
  if (!matches) throw new FileProblem('outside', `it is not below the root ${JSON.stringify(root)}`);
  return segments.slice(anchor.length);
}

const isSame = (wanted: string, found: string | undefined, windows: boolean): boolean =>
  windows ? wanted.toLowerCase() === found?.toLowerCase() : wanted === found;
