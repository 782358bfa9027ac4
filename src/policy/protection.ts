import type { Places } from './call-permissions.ts';
import { isWithin } from './path-pattern.ts';
import { findSensitiveName, type Access } from './sensitive-names.ts';

/** What holds for a path before any request, grant or policy. */
export type Protection =
  /** The plugin’s own: always allowed. */
  | { readonly kind: 'own' }
  /** Nothing lifts this. */
  | { readonly kind: 'forbidden'; readonly reason: string }
  | { readonly kind: 'ordinary' };

/**
 * Judges a path by the innermost directory it lies in: `$DATA`, `$RUN` and, for reading, `$PLUGIN` are the plugin’s own;
 * nothing of ours and nothing with a sensitive name is touched; a plugin never changes its own files, for they are what a
 * person has trusted.
 */
export function protectionOf(segments: readonly string[], access: Access, places: Places): Protection {
  const ownLength = lengthOfInnermost(places.own, segments);
  const pluginLength = lengthOfInnermost([places.plugin], segments);
  const rootLength = lengthOfInnermost([places.root], segments);
  const protectedLength = lengthOfInnermost(places.protected, segments);
  const innermost = Math.max(ownLength, pluginLength, rootLength, protectedLength);
  if (innermost >= 0 && ownLength === innermost) return { kind: 'own' };
  if (innermost >= 0 && pluginLength === innermost) {
    return access === 'read' ? { kind: 'own' } : { kind: 'forbidden', reason: 'a plugin cannot change its own files' };
  }
  if (innermost >= 0 && protectedLength === innermost) return { kind: 'forbidden', reason: 'it belongs to plugbridge itself' };
  const name = findSensitiveName(segments.slice(Math.max(rootLength, 0)), access);
  if (name === undefined) return { kind: 'ordinary' };
  return { kind: 'forbidden', reason: `"${name}" is never ${access === 'read' ? 'read' : 'written'} by plugins` };
}

/** The length of the innermost of some directories that hold a path; -1 when none does. */
function lengthOfInnermost(directories: readonly (readonly string[])[], segments: readonly string[]): number {
  return Math.max(-1, ...directories.filter((directory) => isWithin(directory, segments)).map((directory) => directory.length));
}
