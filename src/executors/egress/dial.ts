import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';

import type { Hop } from './redirect.ts';
import { EgressProblem } from './result.ts';
import { authorityOf } from './target.ts';

export interface DialOptions {
  /** The address to connect to, already checked; nothing is resolved again. */
  readonly address: string;
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal;
  /** Certificates, PEM, to trust instead of Node’s. */
  readonly certificateAuthorities?: readonly string[] | undefined;
}

/** Only a connection that never stood may be tried at another address; later the request may have been acted upon. */
export class ConnectProblem extends EgressProblem {}

const MAX_RESPONSE_HEADER_BYTES = 16 * 1024;

/**
 * Sends one hop to one address and resolves with the response’s head; the body is the caller’s to read or destroy.
 * Host and TLS name stay the URL’s. One connection per request: no pool that plugins could share, no proxy from the
 * environment. Rejects with EgressProblem, ConnectProblem, or the signal’s reason.
 */
export function dial(hop: Hop, options: DialOptions): Promise<IncomingMessage> {
  const { promise, resolve, reject } = withResolvers<IncomingMessage>();
  const { target } = hop;
  const request = (target.secure ? requestHttps : requestHttp)({
    ...requestOptions(hop, options),
    ...(target.secure && tlsOptions(hop, options)),
  });

  let connected = false;
  const timer = setTimeout(() => {
    request.destroy(new ConnectProblem('timed-out', `no connection to ${target.host} stood within ${options.connectTimeoutMs} ms`));
  }, options.connectTimeoutMs);
  request.once('socket', (socket) => {
    socket.once(target.secure ? 'secureConnect' : 'connect', () => {
      connected = true;
      clearTimeout(timer);
    });
  });
  request.once('response', (response) => {
    // Whoever reads it attaches its own; this one keeps an error in between from ending the process.
    response.on('error', () => undefined);
    resolve(response);
  });
  request.on('error', (error) => reject(problemOf(error, connected, options.signal)));
  request.once('close', () => {
    clearTimeout(timer);
    // An answer of 101 ends the connection without an error; after a response this changes nothing.
    reject(new EgressProblem('bad-response', 'the connection ended without a response'));
  });
  request.end(hop.body);
  return promise;
}

function requestOptions(hop: Hop, { address, signal }: DialOptions): RequestOptions {
  const { target } = hop;
  return {
    host: address,
    port: target.port,
    path: target.path,
    method: hop.method,
    headers: headersOf(hop),
    setHost: false,
    agent: false,
    signal,
    maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
    insecureHTTPParser: false,
  };
}

function tlsOptions({ target }: Hop, { certificateAuthorities }: DialOptions): object {
  return {
    // An address is no server name (RFC 6066 §3); then the certificate must be for the address itself.
    servername: target.literal === undefined ? target.host : '',
    // Said here, for NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would turn it off.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(certificateAuthorities && { ca: [...certificateAuthorities] }),
  };
}

function headersOf({ target, method, headers, body }: Hop): Record<string, string> {
  const length = Buffer.byteLength(body);
  const hasBody = length > 0 || method === 'POST' || method === 'PUT' || method === 'PATCH';
  return {
    accept: '*/*',
    'user-agent': 'plugbridge',
    ...Object.fromEntries(headers),
    host: authorityOf(target),
    connection: 'close',
    'accept-encoding': 'gzip, deflate, br',
    ...(hasBody && { 'content-length': String(length) }),
  };
}

function problemOf(error: Error, connected: boolean, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof EgressProblem) return error;
  const code = 'code' in error ? String(error.code) : error.name;
  return connected
    ? new EgressProblem('bad-response', `the connection ended without a valid response (${code})`)
    : new ConnectProblem('unreachable', `no connection could be made (${code})`);
}

function withResolvers<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<Value>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
