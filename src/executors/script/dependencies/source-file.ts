import { readPluginFile } from '../../../manifest/plugin-file.ts';
import { MAX_SOURCE_BYTES } from './dependency-plan.ts';

/** The text of a file that declares dependencies; none where the plugin has no such file. */
export type SourceFile =
  | { readonly kind: 'text'; readonly name: string; readonly text: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Reads a file beside the manifest, at most 8 MiB of UTF-8. `directory` is absolute and canonical. Never throws. */
export function readSourceFile(directory: string, name: string): SourceFile {
  const read = readPluginFile(directory, name, MAX_SOURCE_BYTES);
  if (!read.ok) return read.why === 'missing' ? { kind: 'none' } : { kind: 'unreadable', reason: `${name} cannot be read: ${read.reason}` };
  try {
    return { kind: 'text', name, text: new TextDecoder('utf-8', { fatal: true }).decode(read.bytes) };
  } catch {
    return { kind: 'unreadable', reason: `${name} cannot be read: it is not UTF-8` };
  }
}
