import { isIP } from 'node:net';

import { EgressProblem } from './result.ts';

const MAX_URL_CHARS = 8192;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
/** What WHATWG URL drops or trims silently; a URL that holds it is not the one that somebody read. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const DROPPED = /[\u0000-\u0020\u007f]/;

/** Where a request goes, with every spelling of a host reduced to one. */
export interface Target {
  readonly secure: boolean;
  /** Lower case, punycode, without a trailing dot; IPv6 in brackets, IPv4 dotted. */
  readonly host: string;
  readonly port: number;
  /** The address, when the host is one. */
  readonly literal: string | undefined;
  /** Path and query; a fragment is never sent. */
  readonly path: string;
  /** RFC 6454: decides which headers survive a redirect. */
  readonly origin: string;
  readonly url: URL;
}

/**
 * Reads a URL as WHATWG does, so that decimal, octal, hexadecimal, short and full-width addresses are what they
 * mean (sandbox.md §D rows 27, 28, 31). Only http and https, no user or password. Throws EgressProblem.
 */
export function parseTarget(text: string, base?: URL): Target {
  if (text.length > MAX_URL_CHARS) throw badUrl(`it is longer than ${MAX_URL_CHARS} characters`);
  if (DROPPED.test(text)) throw badUrl('it holds a space or control character');
  if (!URL.canParse(text, base?.href)) throw badUrl('it is not a valid absolute URL');
  const url = new URL(text, base);
  const defaultPort = DEFAULT_PORTS[url.protocol];
  if (defaultPort === undefined) throw badUrl(`its scheme is "${url.protocol.slice(0, 40)}", http or https is wanted`);
  if (url.username !== '' || url.password !== '') throw badUrl('it holds a user or password');

  const host = url.hostname.replace(/\.$/, '');
  const port = url.port === '' ? defaultPort : Number(url.port);
  if (!isHost(host)) throw badUrl('its host is neither a name nor an address');
  if (port === 0) throw badUrl('its port is 0');
  const bare = host.replace(/^\[|\]$/g, '');
  return {
    secure: url.protocol === 'https:',
    host,
    port,
    literal: isIP(bare) === 0 ? undefined : bare,
    path: url.pathname + url.search,
    origin: `${url.protocol}//${host}:${port}`,
    url,
  };
}

const MAX_HOST_CHARS = 253;
/** Stricter than WHATWG, which lets `,` and `!` and the like be part of a name. */
const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)$/;
const isHost = (host: string): boolean => host.length <= MAX_HOST_CHARS && HOST.test(host);

/** The value of the Host header: RFC 9110 §7.2, the port only when it is not the scheme’s. */
export function authorityOf({ host, port, secure }: Target): string {
  return port === DEFAULT_PORTS[secure ? 'https:' : 'http:'] ? host : `${host}:${port}`;
}

const badUrl = (reason: string): EgressProblem => new EgressProblem('bad-url', reason);
