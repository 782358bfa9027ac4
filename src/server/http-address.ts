import { isIP } from 'node:net';
import { HostError } from '../errors.ts';

export interface ListenAddress {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

const DEFAULT_HOST = '127.0.0.1';
const HOST_NAME = /^(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/i;

/** Reads `[HOST:]PORT`, IPv6 addresses in brackets. Throws SERVER_ADDRESS_INVALID. */
export function parseListenAddress(text: string): ListenAddress {
  const invalid = (): HostError => new HostError('SERVER_ADDRESS_INVALID', { address: text });
  const match = /^(?:(?:\[(?<ipv6>[^\]]*)\]|(?<name>[^:[\]]*)):)?(?<port>\d{1,5})$/.exec(text);
  if (match?.groups === undefined) throw invalid();
  const { ipv6, name } = match.groups;
  const port = Number(match.groups['port']);
  if (port > 65_535) throw invalid();
  if (ipv6 !== undefined) {
    if (isIP(ipv6) !== 6) throw invalid();
    return { host: ipv6, port };
  }
  if (name === undefined) return { host: DEFAULT_HOST, port };
  // Digits and dots that are no IPv4 address would be resolved by old rules into one that nobody meant.
  if (isIP(name) === 0 && (!HOST_NAME.test(name) || /^[\d.]+$/.test(name))) throw invalid();
  // What a name resolves to is for others to change; this one is promised to stay on the machine.
  return { host: name.toLowerCase() === 'localhost' ? DEFAULT_HOST : name, port };
}

/** Whether only processes of this machine can connect. A name is never taken to be one. */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  return isIP(host) === 6 && new URL(`http://[${host}]`).hostname === '[::1]';
}

/** The host as it stands in a URL and in a `Host` header. */
export const toUrlHost = (host: string): string => (isIP(host) === 6 ? new URL(`http://[${host}]`).hostname : host);
