import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { networkInterfaces } from 'node:os';
import { hostHeaderValidation, originValidation } from '@modelcontextprotocol/node';
import { refuse, TRANSPORT_ERROR } from './http-answers.ts';
import { isLoopback, toUrlHost } from './http-address.ts';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

export interface GuardOptions {
  /** The address that is listened on. */
  readonly host: string;
  /** Further names by which clients may reach the server, without port, IPv6 in brackets. */
  readonly allowedHosts: readonly string[];
  /** Undefined: everyone who gets past the other guards may call. */
  readonly token: string | undefined;
}

export interface Guards {
  /** Whether `Host` and `Origin` are ours; otherwise 403 has been sent. Absent `Origin` is no browser and passes. */
  fromHere(req: IncomingMessage, res: ServerResponse): boolean;
  /** Whether the bearer token is right; otherwise 401 has been sent. */
  withToken(req: IncomingMessage, res: ServerResponse): boolean;
}

/** The checks that the spec demands against DNS rebinding (basic/transports, “Security”), and the token. */
export function createGuards(options: GuardOptions): Guards {
  const names = listNames(options);
  const checkHost = hostHeaderValidation(names);
  const checkOrigin = originValidation(names);
  const wanted = options.token === undefined ? undefined : hash(options.token);
  return {
    fromHere: (req, res) => checkHost(req, res) && checkOrigin(req, res),
    withToken(req, res) {
      if (wanted === undefined) return true;
      const given = /^bearer +([\x21-\x7e]+) *$/i.exec(req.headers.authorization ?? '')?.[1];
      // Digests are of one length, so comparing takes the same time whatever was given.
      if (given !== undefined && timingSafeEqual(hash(given), wanted)) return true;
      const challenge = given === undefined ? 'Bearer realm="plugbridge"' : 'Bearer realm="plugbridge", error="invalid_token"';
      const message = 'Unauthorized: send the token of this server as "Authorization: Bearer TOKEN"';
      refuse(res, { status: 401, code: TRANSPORT_ERROR, message, headers: { 'WWW-Authenticate': challenge } });
      return false;
    },
  };
}

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();

function listNames({ host, allowedHosts }: GuardOptions): string[] {
  // Headers are compared as URLs spell them: lower case, addresses shortened.
  const further = allowedHosts.map((name) => new URL(`http://${name}`).hostname);
  if (isLoopback(host)) return [...LOOPBACK_NAMES, toUrlHost(host), ...further];
  const everywhere = host === '0.0.0.0' || toUrlHost(host) === '[::]';
  const own = everywhere
    ? Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address) ?? [])
    : [host];
  // Link-local addresses carry a zone that no Host header has.
  const addresses = own.filter((address) => !address.includes('%')).map(toUrlHost);
  return [...new Set([...LOOPBACK_NAMES, ...addresses, ...further])];
}
