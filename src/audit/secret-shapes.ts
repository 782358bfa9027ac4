const MASK = '[redacted]';

/** Strings without any of these cannot hold a secret by shape; most arguments end here. */
const SUSPICIOUS = /[\w+=-]{16}|[:=@]|bearer|basic|-----/i;

/**
 * Tokens that are known by how they begin. Sources: the issuers’ documentation (GitHub, GitLab, Slack, AWS, Google,
 * Stripe, npm, PyPI, Hugging Face, OpenAI, Anthropic, SendGrid, DigitalOcean, Shopify).
 */
const ISSUED =
  /\b(?:sk-[\w-]{16,}|[srp]k_(?:live|test)_\w{10,}|whsec_\w{10,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{30,}|ya29\.[\w-]{16,}|npm_\w{30,}|pypi-[\w-]{16,}|hf_\w{16,}|SG\.[\w-]{16,}(?:\.[\w-]+)?|do[opr]_v1_\w{16,}|shp(?:at|ca|pa|ss)_\w{16,})/g;
/** RFC 7519: three base64url parts, the first of which is the Base64 of `{"`. The later ones may have been cut. */
const JWT = /\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g;
/** RFC 7468, private keys of every kind; the end may have been cut. */
const PEM = /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----|$)/g;
/** RFC 9110 section 11.4. */
const CREDENTIALS = /\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi;
/** RFC 3986 section 3.2.1: `user:password@`. */
const USER_INFO = /\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/?#@]{1,256}@/gi;
/** `name=value` and `"name": "value"` within a longer text: queries, headers, command lines, files. */
const ASSIGNED =
  /((?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|credentials?)["']?\s{0,4}[=:]\s{0,4})(?:"[^"]{1,1024}"?|'[^']{1,1024}'?|[^\s"'&,;]{1,1024})/gi;
const LONG_RUN = /[\w+=-]{32,}/g;

/**
 * Replaces what looks like a secret in a text of at most some kilobytes. `cut` says that the text goes on: its last
 * unbroken run is then dropped, for it may be half a secret that no longer looks like one.
 */
export function maskSecrets(text: string, cut = false): string {
  if (!SUSPICIOUS.test(text)) return text;
  const masked = text
    .replace(PEM, MASK)
    .replace(USER_INFO, `$1${MASK}@`)
    .replace(CREDENTIALS, `$1 ${MASK}`)
    .replace(ASSIGNED, `$1${MASK}`)
    .replace(JWT, MASK)
    .replace(ISSUED, MASK)
    .replace(LONG_RUN, (run) => (isRandom(run) ? MASK : run));
  return cut ? dropLastRun(masked) : masked;
}

/** At most this much of the end is looked at, so that a text without breaks keeps its beginning. */
const LAST_RUN_CHARS = 512;

function dropLastRun(text: string): string {
  const from = Math.max(0, text.length - LAST_RUN_CHARS);
  let end = text.length;
  while (end > from && /[\w+=./~-]/.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Mixed case and digits with more than 4 bits a character: keys, not words, paths, UUIDs or hex digests. */
function isRandom(run: string): boolean {
  if (!/[a-z]/.test(run) || !/[A-Z]/.test(run) || !/\d/.test(run)) return false;
  const counts = new Map<string, number>();
  for (const char of run) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / run.length) * Math.log2(count / run.length);
  return bits > 4;
}
