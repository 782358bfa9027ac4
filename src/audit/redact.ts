import { maskSecrets } from './secret-shapes.ts';

/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

/** Arguments that are fit for the journal; only `redactArguments` makes them. */
export type RedactedArguments = { readonly [redacted]: true };
declare const redacted: unique symbol;

export interface RedactOptions {
  /** Member names that are secret besides the usual ones: the secret settings of a plugin. */
  readonly secretNames?: readonly string[];
  /** Values that must not appear anywhere; ones shorter than 4 characters are ignored. */
  readonly secretValues?: readonly string[];
}

const MAX_DEPTH = 8;
const MAX_ENTRIES = 64;
const MAX_NODES = 256;
const MAX_STRING_CHARS = 256;
const MAX_KEY_CHARS = 64;
/** Over all strings and keys, which bounds a record whatever its arguments are. */
const MAX_TOTAL_CHARS = 4 * 1024;

interface Walk {
  readonly names: ReadonlySet<string>;
  readonly values: readonly string[];
  nodesLeft: number;
  charsLeft: number;
}

/**
 * Copies arguments for the journal: members with secret names and strings that look like secrets are replaced, long
 * strings cut to a prefix and their length, depth and size bounded. Never changes its input, never throws for values
 * that came from JSON.
 */
export function redactArguments(args: unknown, options: RedactOptions = {}): RedactedArguments {
  return boundValue(args, options) as RedactedArguments;
}

/** As `redactArguments`, for any other member of a record that is not ours. */
export function boundValue(value: unknown, options: RedactOptions = {}): unknown {
  const walk: Walk = {
    names: options.secretNames === undefined ? NO_NAMES : new Set(options.secretNames.map(normalizeName)),
    values: options.secretValues === undefined ? [] : listMaskable(options.secretValues),
    nodesLeft: MAX_NODES,
    charsLeft: MAX_TOTAL_CHARS,
  };
  return copy(value, 0, walk);
}

/** A text of a record without these values; as in `redactArguments`, ones shorter than 4 characters are ignored. */
export const maskValues = (text: string, secretValues: readonly string[]): string =>
  secretValues.length === 0 ? text : maskKnown(text, listMaskable(secretValues));

/** The longest first, for one may hold another. */
const listMaskable = (values: readonly string[]): readonly string[] =>
  values.filter((secret) => secret.length >= 4).toSorted((a, b) => b.length - a.length);

const maskKnown = (text: string, values: readonly string[]): string =>
  values.reduce((masked, secret) => (masked.includes(secret) ? masked.replaceAll(secret, REDACTED) : masked), text);

const NO_NAMES: ReadonlySet<string> = new Set();

function copy(value: unknown, depth: number, walk: Walk): unknown {
  if (walk.nodesLeft-- <= 0) return '[cut]';
  if (typeof value === 'string') return copyString(value, MAX_STRING_CHARS, walk);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return Array.isArray(value) ? `[array of ${value.length}, cut]` : '[object, cut]';
  if (Array.isArray(value)) {
    // The word after `--password` in a list of words is the password.
    const kept = value
      .slice(0, MAX_ENTRIES)
      .map((item, at) => (isFlagForSecret(value[at - 1], walk) ? REDACTED : copy(item, depth + 1, walk)));
    if (value.length > MAX_ENTRIES) kept.push(`[${value.length - MAX_ENTRIES} more, cut]`);
    return kept;
  }
  return copyObject(value, depth, walk);
}

function copyObject(value: object, depth: number, walk: Walk): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  const keys = Object.keys(value);
  const named = namesSecret(value, walk);
  for (const key of keys.length > MAX_ENTRIES ? keys.slice(0, MAX_ENTRIES) : keys) {
    const member = (value as Record<string, unknown>)[key];
    const name = key === '__proto__' ? '[__proto__]' : copyString(key, MAX_KEY_CHARS, walk);
    kept[name] = (named && key === 'value') || isSecretName(key, member, walk.names) ? REDACTED : copy(member, depth + 1, walk);
  }
  if (keys.length > MAX_ENTRIES) kept['…'] = `[${keys.length - MAX_ENTRIES} more, cut]`;
  return kept;
}

function copyString(text: string, maxChars: number, walk: Walk): string {
  // A secret may begin before the cut and end after it: mask in a wider window, then cut.
  const known = maskKnown(text, walk.values);
  const window = known.length > 4 * maxChars ? known.slice(0, 4 * maxChars) : known;
  const masked = maskSecrets(window, window.length < known.length);
  const room = Math.min(maxChars, Math.max(walk.charsLeft, 0));
  walk.charsLeft -= Math.min(masked.length, room);
  if (masked.length <= room && window.length === known.length) return masked;
  return `${masked.slice(0, room)}…[cut, ${text.length} characters]`;
}

const isFlagForSecret = (word: unknown, walk: Walk): boolean =>
  typeof word === 'string' && /^--?[\w-]+$/.test(word) && isSecretName(word, '', walk.names);

/** Headers and variables often come as `{ name: "Authorization", value: … }`. */
function namesSecret(value: object, walk: Walk): boolean {
  if (!('value' in value)) return false;
  const name = 'name' in value ? value.name : 'key' in value ? value.key : undefined;
  return typeof name === 'string' && isSecretName(name, value.value, walk.names);
}

const SECRET_NAME =
  /passw(?:or)?d|passphrase|passcode|pwd|secret|token|apikey|accesskey|privatekey|signingkey|encryptionkey|authorization|cookie|credential|bearer|jwt|connectionstring|sessionid|^(?:auth|pin|otp|totp|mfa|pass|pat|cvv|cvc|ssn|seed|mnemonic)$/;
const COUNTED = /max|min|num|count|limit|total|budget|per/;

function isSecretName(key: string, member: unknown, names: ReadonlySet<string>): boolean {
  const name = normalizeName(key);
  if (names.has(name)) return true;
  if (!SECRET_NAME.test(name)) return false;
  // `max_tokens: 400` is a measure, not a secret.
  return !(typeof member === 'number' && COUNTED.test(name)) && typeof member !== 'boolean' && member !== null;
}

const normalizeName = (key: string): string =>
  key
    .slice(0, 128)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
