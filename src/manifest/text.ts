import { z } from 'zod';

/**
 * Names of plugins and commands: ASCII, because they become tool names, directory names and grants, where two names that
 * look alike must be alike. A dot stands only between other characters, so no name is hidden, `..` or ends in a dot.
 */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9_-])){0,63}$/;
const NAME_WANTED = '1 to 64 letters, digits, "_", "-" or single dots between them, beginning with a letter or digit';

/** A safe name of a plugin or command. */
export const NameSchema = z.string({ error: NAME_WANTED }).regex(NAME, { error: NAME_WANTED });

export function isSafeName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name);
}

/**
 * Characters that people cannot see and models can read, or that steer terminals: controls other than tab and line ends,
 * bidirectional overrides, zero-width space, byte order mark, and tag characters.
 */
const HIDDEN = /(?![\t\n\r])\p{Cc}|[\u200B\u2028\u2029\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]|[\u{E0000}-\u{E007F}]/u;

export interface TextOptions {
  /** What is wanted, for the sentence about what was found. */
  readonly wanted: string;
  readonly maxCharacters: number;
}

/** Text for people and models: bounded and without hidden characters. */
export const textSchema = ({ wanted, maxCharacters }: TextOptions): z.ZodString =>
  z
    .string({ error: wanted })
    .max(maxCharacters, { error: `at most ${maxCharacters} characters` })
    .refine((text) => !HIDDEN.test(text), { error: 'text without control characters, direction overrides and invisible characters' });

/**
 * Semantic Versioning 2.0.0, item 11's grammar in the form its FAQ gives
 * (https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string).
 */
const SEMANTIC_VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

export function isSemanticVersion(version: string): boolean {
  return SEMANTIC_VERSION.test(version);
}

/** A path that stays below the directory it is joined to, on every system: relative, forward slashes, no `..`. */
export function isSafeRelativePath(path: string): boolean {
  if (path === '' || path.length > 1024 || HIDDEN.test(path) || /[\t\n\r\\]/.test(path)) return false;
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return false;
  return !path.split('/').includes('..');
}
