const MAX_LOCAL_LENGTH = 64;
const MAX_DOMAIN_LENGTH = 255;

/**
 * Whether a text holds an email address at any domain (RFC 5321 dot-atoms and length limits; a top-level domain of two
 * letters or more). Looks around every `@` for a bounded distance that no other `@` is part of, so it is linear.
 */
export function findEmail(text: string): boolean {
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    if (mayBeDomain(text, at + 1) && isLocalPartBefore(text, at) && isDomainAfter(text, at)) return true;
  }
  return false;
}

/** A look that costs nothing: a point before anything that ends a domain. */
function mayBeDomain(text: string, from: number): boolean {
  for (let at = from; at < text.length && at - from < MAX_DOMAIN_LENGTH; at += 1) {
    const code = text.charCodeAt(at);
    if (code === POINT) return at > from;
    if (code <= SPACE || code === AT_SIGN) return false;
  }
  return false;
}
const POINT = 0x2e;
const SPACE = 0x20;
const AT_SIGN = 0x40;

function isLocalPartBefore(text: string, at: number): boolean {
  let start = at;
  while (start > 0 && at - start <= MAX_LOCAL_LENGTH && /[\p{L}\p{N}!#$%&'*+/=?^_`{|}~.-]/u.test(text[start - 1] ?? '')) start -= 1;
  const local = text.slice(start, at);
  // `git@host` and `user:pass@host` in URLs are addresses of repositories, not of people.
  const isInUrl = text.slice(Math.max(0, start - 1), start) === ':' && local.startsWith('//');
  return local.length <= MAX_LOCAL_LENGTH && /[\p{L}\p{N}]/u.test(local) && !local.endsWith('.') && !isInUrl;
}

function isDomainAfter(text: string, at: number): boolean {
  const domain = /^[\p{L}\p{N}.-]+/u.exec(text.slice(at + 1, at + 1 + MAX_DOMAIN_LENGTH))?.[0] ?? '';
  const labels = domain.replace(/[.-]+$/, '').split('.');
  // scp-like `git@github.com:owner/repo` is no one’s mailbox.
  const isRepository =
    /^:[\w.~/-]*[A-Za-z]/.test(text.slice(at + 1 + domain.length, at + 1 + domain.length + 64)) && text.slice(at - 3, at) === 'git';
  const isTopLevel = /^(?:\p{L}{2,63}|xn--[a-z0-9-]{2,59})$/iu.test(labels.at(-1) ?? '');
  return labels.length >= 2 && labels.every((label) => label !== '' && !label.startsWith('-')) && isTopLevel && !isRepository;
}
