import { isIP } from 'node:net';

import { classifyAddress } from './addresses.ts';

/** Where a request goes, in the one spelling that everything else compares. */
export interface Target {
  readonly protocol: 'http:' | 'https:';
  /** Lower case, IDN as punycode, no trailing dot, IPv6 in brackets, IPv4 as four decimal numbers. */
  readonly host: string;
  readonly port: number;
}

const MAX_URL_LENGTH = 8192;

/**
 * Reads a URL as the WHATWG parser does and refuses what another parser could read differently: userinfo, backslashes,
 * white space and control characters (agentzero.md §2 lists the bypasses that a string cut lets through).
 */
export function readTarget(url: string): Target | { readonly issue: string } {
  if (url.length > MAX_URL_LENGTH) return { issue: `the URL is longer than ${MAX_URL_LENGTH} characters` };
  if (/[\s\\\p{Cc}]/u.test(url)) return { issue: 'the URL holds white space, a control character or a backslash' };
  if (!URL.canParse(url)) return { issue: 'it is not an absolute URL' };
  const parsed = new URL(url);
  const { protocol } = parsed;
  if (protocol !== 'http:' && protocol !== 'https:') return { issue: `the scheme is "${protocol}", wanted is http or https` };
  if (!/^https?:\/\/[^/]/i.test(url)) return { issue: 'the scheme is not followed by exactly two slashes' };
  if (parsed.username !== '' || parsed.password !== '' || authorityOf(url).includes('@')) {
    return { issue: 'the URL holds a user name or password' };
  }
  const host = tidyHost(parsed.hostname);
  if (host === undefined) return { issue: 'the host is not a valid name or address' };
  return { protocol, host, port: parsed.port === '' ? (protocol === 'http:' ? 80 : 443) : Number(parsed.port) };
}

const authorityOf = (url: string): string => /^[a-z]+:\/\/([^/?#]*)/i.exec(url)?.[1] ?? '';

/**
 * The one spelling of a host name or address: `0x7f.1`, `2130706433` and `127.0.0.1` come out equal.
 * IPv6 is in brackets. Undefined for anything that is not a host alone.
 */
export function normalizeHost(text: string): string | undefined {
  if (text === '' || text.length > 255 || /[\s\\/?#@%*\p{Cc}]/u.test(text)) return undefined;
  const bracketed = text.startsWith('[') && text.endsWith(']');
  if (!bracketed && text.includes(':')) return undefined;
  const url = `http://${text}/`;
  return URL.canParse(url) ? tidyHost(new URL(url).hostname) : undefined;
}

/** The same for an address as a resolver returns it: IPv6 without brackets is put into them. */
export function normalizeAddress(address: string): string | undefined {
  if (address.includes('%') || isIP(address) === 0) return undefined;
  return normalizeHost(isIP(address) === 6 ? `[${address}]` : address);
}

/** `*.example.com` in its one spelling; undefined when what follows `*.` is no host name. */
export function normalizeHostPattern(text: string): string | undefined {
  const base = text.startsWith('*.') ? normalizeHost(text.slice(2)) : undefined;
  return base === undefined || addressOf(base) !== undefined ? undefined : `*.${base}`;
}

function tidyHost(hostname: string): string | undefined {
  const host = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
  if (host.startsWith('[')) return host;
  const labels = host.split('.');
  return host.length > 253 || labels.some((label) => label === '' || label.length > 63) ? undefined : host;
}

/** The address that a normalised host is, without brackets; undefined for a name. */
export function addressOf(host: string): string | undefined {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return isIP(bare) === 0 ? undefined : bare;
}

/** Whether a host pattern of a capability (`*`, `*.example.com`, a host) covers a normalised host. */
export function coversHost(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  if (pattern.startsWith('*.')) return host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1 && addressOf(host) === undefined;
  return pattern === host;
}

/** Names that cannot mean a public server: RFC 6761 (localhost), RFC 6762 (.local), RFC 8375 (.home.arpa), .internal (ICANN, 2024). */
const LOCAL_SUFFIXES = ['.localhost', '.local', '.internal', '.home.arpa'];

/**
 * Whether naming `host` in a grant also opens the non-public address that it resolves to. Only for names that are local by
 * definition: for all others the owner of the name decides what it resolves to, so that the grant must name the address
 * itself. Link-local addresses, where clouds keep their credentials, are never opened by a name.
 */
export function namesLocalAddress(host: string, address: string): boolean {
  const addressClass = classifyAddress(address);
  if (host === 'localhost' || host.endsWith('.localhost')) return addressClass === 'loopback';
  return isLocalName(host) && (addressClass === 'loopback' || addressClass === 'private' || addressClass === 'shared');
}

/** Whether a normalised host is a name that cannot mean a public server. */
export const isLocalName = (host: string): boolean =>
  addressOf(host) === undefined && (!host.includes('.') || LOCAL_SUFFIXES.some((suffix) => host.endsWith(suffix)));
