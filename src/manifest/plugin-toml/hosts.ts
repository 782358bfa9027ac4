import { isIPv4, isIPv6 } from 'node:net';

export type HostReading =
  | { readonly ok: true; readonly host: string; readonly kind: 'name' | 'address' }
  | { readonly ok: false; readonly wanted: string };

const WANTED = 'a host name such as "api.slack.com", without scheme, port, path or "*" (subdomains are included)';
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * One member of `allowed_hosts` in the form that URLs are compared in: lower case, punycode, no last dot, IPv6 in
 * brackets. An address must be written as such: `0x7f.1` and `2130706433` mean 127.0.0.1 to URLs and nothing to people.
 */
export function readHost(text: string): HostReading {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (isIPv6(bare) && !bare.includes('%')) return { ok: true, host: new URL(`http://[${bare}]/`).hostname, kind: 'address' };
  if (!/^[\p{L}\p{M}\p{N}._-]{1,253}$/u.test(text)) return { ok: false, wanted: WANTED };
  const url = URL.canParse(`http://${text}/`) ? new URL(`http://${text}/`) : undefined;
  const host = url?.hostname.replace(/\.$/, '') ?? '';
  if (isIPv4(host)) return host === text ? { ok: true, host, kind: 'address' } : { ok: false, wanted: `the address written as "${host}"` };
  if (!host.split('.').every((label) => LABEL.test(label))) return { ok: false, wanted: WANTED };
  return { ok: true, host, kind: 'name' };
}
