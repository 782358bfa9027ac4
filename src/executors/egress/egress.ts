import type { IncomingMessage } from 'node:http';

import type { CapabilityUse, Permit } from '../executor.ts';
import { readBody } from './body.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import { ConnectProblem, dial } from './dial.ts';
import { parseHeaders, parseMethod } from './headers.ts';
import { findPermittedAddresses, requireAllowed } from './permission.ts';
import { type Hop, nextHop } from './redirect.ts';
import { type Lookup, systemLookup } from './resolve.ts';
import { type EgressLimits, EgressProblem, type EgressResult } from './result.ts';
import { parseTarget } from './target.ts';

export { DEFAULT_EGRESS_LIMITS } from './result.ts';
export type { EgressFailure, EgressFailureReason, EgressLimits, EgressResponse, EgressResult } from './result.ts';
export type { Lookup } from './resolve.ts';

export interface EgressOptions {
  /**
   * Asked on every hop, redirects included: `net` before anything is resolved, `net-body` when there is a body, and
   * `net-address` for every address; one refused address refuses the host. Hosts are as in `Target.host`.
   */
  readonly permit: (use: CapabilityUse) => Permit;
  readonly limits: EgressLimits;
  /** How names are resolved, called once per hop; the operating system’s way when absent. */
  readonly lookup?: Lookup;
  /** Certificates, PEM, to trust instead of Node’s own. */
  readonly certificateAuthorities?: readonly string[];
}

export interface EgressRequest {
  readonly url: string;
  /** In any case; one of GET, POST, PUT, DELETE, PATCH, HEAD. */
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty means none. */
  readonly body: string;
  readonly signal?: AbortSignal;
}

/** HTTP for a plugin that has no network of its own. */
export interface Egress {
  /** Never rejects for anything that a plugin or a server does. */
  request(request: EgressRequest): Promise<EgressResult>;
}

/** Makes an egress that asks `permit` before every step outwards (sandbox.md §B, “Filtered egress”; §D rows 27–32). */
export function createEgress(options: EgressOptions): Egress {
  return {
    async request(request) {
      const deadline = createDeadline(options.limits.totalTimeoutMs, request.signal);
      try {
        return await follow(parseRequest(request, options.limits), options, deadline);
      } catch (error) {
        if (!(error instanceof EgressProblem)) throw error;
        const message = `Cannot request ${showUrl(request.url)}: ${error.message}`;
        return { ok: false, why: error.why, message, ...(error.refusal && { refusal: error.refusal }) };
      } finally {
        deadline.clear();
      }
    },
  };
}

function parseRequest({ url, method, headers, body }: EgressRequest, { maxRequestBytes }: EgressLimits): Hop {
  if (Buffer.byteLength(body) > maxRequestBytes) throw new EgressProblem('too-large', `its body is larger than ${maxRequestBytes} bytes`);
  return { target: parseTarget(url), method: parseMethod(method), headers: parseHeaders(headers), body };
}

async function follow(first: Hop, options: EgressOptions, deadline: Deadline): Promise<EgressResult> {
  const { maxRedirects, maxResponseBytes } = options.limits;
  let hop = first;
  for (let redirects = 0; ; redirects += 1) {
    const response = await send(hop, options, deadline);
    const status = response.statusCode ?? 0;
    const next = tryNext(hop, response);
    if (next === undefined) {
      const hasBody = hop.method !== 'HEAD' && status !== 204 && status !== 304;
      const body = await readBody(response, { maxBytes: maxResponseBytes, hasBody, signal: deadline.signal });
      return { ok: true, status, body };
    }
    if (redirects === maxRedirects) throw new EgressProblem('too-many-redirects', `it redirects more than ${maxRedirects} times`);
    hop = next;
  }
}

/** The next hop; the connection of a response that is not read is ended. */
function tryNext(hop: Hop, response: IncomingMessage): Hop | undefined {
  let isLast = false;
  try {
    const next = nextHop(hop, { status: response.statusCode ?? 0, location: response.headers.location });
    isLast = next === undefined;
    return next;
  } finally {
    if (!isLast) response.destroy();
  }
}

async function send(hop: Hop, options: EgressOptions, deadline: Deadline): Promise<IncomingMessage> {
  const { permit, limits, certificateAuthorities } = options;
  const { host, port } = hop.target;
  deadline.signal.throwIfAborted();
  requireAllowed(permit({ kind: 'net', host, port }));
  if (hop.body !== '') requireAllowed(permit({ kind: 'net-body', host, body: hop.body }));

  const addresses = await findPermittedAddresses(hop.target, { permit, lookup: options.lookup ?? systemLookup, deadline });

  let problem = new EgressProblem('unreachable', 'no connection could be made');
  for (const address of addresses) {
    try {
      return await dial(hop, { address, connectTimeoutMs: limits.connectTimeoutMs, signal: deadline.signal, certificateAuthorities });
    } catch (error) {
      if (!(error instanceof ConnectProblem)) throw error;
      problem = error;
    }
  }
  throw problem;
}

/** Scheme, host and path of a URL for a message: a query or user may hold secrets (agentzero.md §7). */
function showUrl(text: string): string {
  if (!URL.canParse(text)) return 'this URL';
  const { protocol, host, pathname } = new URL(text);
  const shown = `${protocol}//${host}${pathname}`;
  return JSON.stringify(shown.length > 200 ? `${shown.slice(0, 200)}…` : shown);
}
