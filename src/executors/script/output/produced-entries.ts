/** A file that an answer names, as far as it was understood. */
export interface ProducedEntry {
  /** As the script wrote it. */
  readonly path: string;
  readonly name?: string;
  readonly mimeType?: string;
  readonly description?: string;
}

/** What the `files` member of an answer holds; a warning is one sentence. */
export interface ProducedEntries {
  readonly entries: readonly ProducedEntry[];
  readonly warnings: readonly string[];
}

const MAX_FILES = 64;
const MAX_NAME_CHARACTERS = 255;
const MAX_DESCRIPTION_CHARACTERS = 1000;
const PATH_KEYS = ['path', 'file', 'filename'] as const;
const TYPE_KEYS = ['mimeType', 'type'] as const;

/**
 * Reads the `files` member (kaizen.md, “Output”): a path, or an object with `path`, `file` or `filename` and perhaps
 * `name`, `mimeType` or `type`, and `description`. What is not understood becomes a warning.
 */
export function readProducedEntries(files: unknown): ProducedEntries {
  if (files === undefined || files === null) return { entries: [], warnings: [] };
  if (!Array.isArray(files)) return { entries: [], warnings: ['"files" was ignored: it must be an array'] };
  const warnings: string[] = [];
  const entries: ProducedEntry[] = [];
  for (const [index, file] of (files as unknown[]).slice(0, MAX_FILES).entries()) {
    const entry = tryReadEntry(file);
    if (entry) entries.push(entry);
    else warnings.push(`files[${index}] was ignored: it must be a path, or an object with "path"`);
  }
  if (files.length > MAX_FILES) warnings.push(`${files.length - MAX_FILES} files were ignored: a call keeps at most ${MAX_FILES}`);
  return { entries, warnings };
}

function tryReadEntry(file: unknown): ProducedEntry | undefined {
  if (typeof file === 'string') return file === '' ? undefined : { path: file };
  if (typeof file !== 'object' || file === null || Array.isArray(file)) return undefined;
  const path = firstText(file, PATH_KEYS);
  if (path === undefined) return undefined;
  const name = firstText(file, ['name'])?.slice(0, MAX_NAME_CHARACTERS);
  const mimeType = firstText(file, TYPE_KEYS)?.slice(0, MAX_NAME_CHARACTERS);
  const description = firstText(file, ['description'])?.slice(0, MAX_DESCRIPTION_CHARACTERS);
  return {
    path,
    ...(name === undefined ? {} : { name }),
    ...(mimeType === undefined ? {} : { mimeType }),
    ...(description === undefined ? {} : { description }),
  };
}

function firstText(holder: object, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value: unknown = Object.hasOwn(holder, key) ? (holder as Record<string, unknown>)[key] : undefined;
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}
