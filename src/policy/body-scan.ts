import { findEmail } from './body-email.ts';
import { isCardNumber, isIban, isPhoneNumber } from './personal-numbers.ts';

/** What a body may hold that must not leave the machine; names only, the text itself is never returned. */
export const BODY_KINDS = [
  'private key',
  'GitHub token',
  'GitLab token',
  'AWS key',
  'AI provider key',
  'Slack token',
  'Google key',
  'Stripe key',
  'npm token',
  'JSON web token',
  'authorization header',
  'email address',
  'phone number',
  'payment card',
  'bank account',
  'social security number',
  'oversized body',
] as const;
export type BodyKind = (typeof BODY_KINDS)[number];

/** Longer bodies are not scanned but refused. */
export const MAX_BODY_LENGTH = 16 * 1024 * 1024;

interface Pattern {
  readonly kind: BodyKind;
  /** A text without which the expression cannot match; searching for it is what makes a clean body cheap. */
  readonly marks: readonly string[];
  /**
   * Global. Starts with a mark or a look-behind and repeats without a bound only where a look-behind keeps it from
   * starting again inside the same run: time is linear in the length of the body.
   */
  readonly expression: RegExp;
  readonly isReal?: (match: string) => boolean;
}

const hasDigitAndRun = (match: string): boolean => /\d/.test(match) && /[A-Za-z0-9]{12}/.test(match);

/** Upstream looks for eight substrings and fires on `task-list` (agentzero.md §2); these are the providers’ documented forms. */
const PATTERNS: readonly Pattern[] = [
  { kind: 'private key', marks: ['PRIVATE KEY'], expression: /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g },
  {
    kind: 'GitHub token',
    marks: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    expression: /(?<![A-Za-z0-9_])gh[opsur]_[A-Za-z0-9]{16,255}/g,
  },
  { kind: 'GitHub token', marks: ['github_pat_'], expression: /(?<![A-Za-z0-9_])github_pat_[A-Za-z0-9_]{22,255}/g },
  { kind: 'GitLab token', marks: ['glpat-'], expression: /(?<![\w-])glpat-[\w-]{20,255}/g },
  { kind: 'AWS key', marks: ['AKIA', 'ASIA'], expression: /(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])/g },
  {
    kind: 'AWS key',
    marks: ['secret_access_key', 'SecretAccessKey', 'SECRET_ACCESS_KEY', 'secretAccessKey'],
    expression: /secret_?access_?key["']?\s{0,8}[:=]\s{0,8}["']?[A-Za-z0-9/+]{40}/gi,
  },
  { kind: 'AI provider key', marks: ['sk-'], expression: /(?<![\w-])sk-[\w-]{20,}/g, isReal: hasDigitAndRun },
  {
    kind: 'Slack token',
    marks: ['xox', 'xapp-'],
    expression: /(?<![\w-])(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,}/g,
    isReal: (match) => /\d/.test(match),
  },
  {
    kind: 'Slack token',
    marks: ['hooks.slack.com'],
    expression: /hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9]{1,32}\/[A-Za-z0-9]{1,32}/g,
  },
  { kind: 'Google key', marks: ['AIza'], expression: /(?<![\w-])AIza[\w-]{35}(?![\w-])/g },
  { kind: 'Google key', marks: ['ya29.'], expression: /(?<![\w-])ya29\.[\w-]{20,}/g },
  { kind: 'Stripe key', marks: ['k_live_'], expression: /(?<![A-Za-z0-9_])[rs]k_live_[A-Za-z0-9]{16,255}/g },
  { kind: 'npm token', marks: ['npm_'], expression: /(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])/g },
  { kind: 'JSON web token', marks: ['eyJ'], expression: /(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{4,}\.[\w-]{8,}/g },
  {
    kind: 'authorization header',
    marks: ['uthorization', 'UTHORIZATION'],
    expression: /authorization["']?\s{0,8}[:=]\s{0,8}["']?(?:bearer|basic|token)\s{1,8}[\w.~+/-]{12,}/gi,
  },
  {
    kind: 'authorization header',
    marks: ['earer ', 'EARER '],
    expression: /(?<!\w)bearer {1,8}[\w.~+/-]{20,}/gi,
    isReal: hasDigitAndRun,
  },
  {
    kind: 'payment card',
    marks: [],
    expression: /(?<![\w.-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5})(?![\w-]|\.\d)/g,
    isReal: isCardNumber,
  },
  {
    kind: 'bank account',
    marks: [],
    expression: /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])/g,
    isReal: isIban,
  },
  { kind: 'social security number', marks: [], expression: /(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-])/g },
  { kind: 'phone number', marks: ['+'], expression: /(?<![\w+.])\+[1-9](?:[ ().-]{0,2}\d){7,14}(?![\d:]|[.-]\d)/g, isReal: isPhoneNumber },
];

/**
 * Says what a body holds that must not leave the machine: secrets in their providers’ forms and personal data. An empty
 * answer means nothing was found. Percent-encoded and JSON-escaped bodies are also read decoded. Linear in its length.
 * It keeps accidents in; a plugin that means harm can encode what it likes, which is why hosts are allow-listed too.
 */
export function scanBody(body: string): readonly BodyKind[] {
  if (body.length > MAX_BODY_LENGTH) return ['oversized body'];
  const found = new Set<BodyKind>();
  for (const text of readingsOf(body)) {
    for (const pattern of PATTERNS) if (!found.has(pattern.kind) && occursIn(text, pattern)) found.add(pattern.kind);
    if (!found.has('email address') && findEmail(text)) found.add('email address');
  }
  return BODY_KINDS.filter((kind) => found.has(kind));
}

function occursIn(text: string, { marks, expression, isReal }: Pattern): boolean {
  if (marks.length > 0 && !marks.some((mark) => text.includes(mark))) return false;
  if (isReal === undefined) return text.search(expression) !== -1;
  for (const [match] of text.matchAll(expression)) if (isReal(match)) return true;
  return false;
}

/** The characters that tell these kinds apart, as form encoding and JSON escape them. */
const ENCODED = /%(?:20|2[bdef]|3[ad]|40|5f)/gi;
const ESCAPED = /\\u00(?:20|2[bdef]|3[ad]|40|5f)/gi;
const decode = (match: string): string => String.fromCharCode(Number.parseInt(match.slice(-2), 16));

function readingsOf(body: string): readonly string[] {
  const readings = [body];
  if (body.search(ESCAPED) !== -1) readings.push(body.replaceAll(ESCAPED, decode));
  if (body.search(ENCODED) !== -1) readings.push(body.replaceAll(ENCODED, decode));
  return readings;
}
