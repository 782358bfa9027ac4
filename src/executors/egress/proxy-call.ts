import type { CapabilityUse, Permit } from '../executor.ts';
import { createDeadline } from './deadline.ts';
import { findPermittedAddresses } from './permission.ts';
import type { Meter } from './proxy-meter.ts';
import type { Lookup } from './resolve.ts';
import { EgressProblem } from './result.ts';
import type { Target } from './target.ts';

export interface EgressProxyLimits {
  /** At once; more are closed unanswered. */
  readonly connections: number;
  /** Of a request and of a response. */
  readonly headerBytes: number;
  /** Of a plain request, whose body is looked into; what goes through a tunnel is not. */
  readonly requestBytes: number;
  /** Of all plain requests that are being read at once. */
  readonly bufferedBytes: number;
  /** In both directions, over all connections: more ends them all, and refuses any other. */
  readonly totalBytes: number;
  /** For resolving a name, and again for each address. */
  readonly connectTimeoutMs: number;
  /** A connection on which nothing moves for so long is ended. */
  readonly idleTimeoutMs: number;
}

const MEBIBYTE = 1024 * 1024;
export const DEFAULT_EGRESS_PROXY_LIMITS: EgressProxyLimits = {
  connections: 64,
  headerBytes: 16 * 1024,
  requestBytes: 4 * MEBIBYTE,
  bufferedBytes: 16 * MEBIBYTE,
  totalBytes: 256 * MEBIBYTE,
  connectTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
};

/** What a proxy has passed on so far. */
export interface EgressProxyUsage {
  /** Requests and tunnels, refused ones included. */
  readonly requests: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** One request or tunnel on its way through the proxy. */
export interface ProxyCall {
  readonly permit: (use: CapabilityUse) => Permit;
  readonly limits: EgressProxyLimits;
  readonly lookup: Lookup;
  readonly meter: Meter;
  /** Aborted when the client has gone, the proxy closes, or too much has moved; its reason is an EgressProblem. */
  readonly signal: AbortSignal;
}

/**
 * Resolves a host that has been permitted, asks for its addresses, and tries them in their order. Only one to which no
 * connection stood is passed over: later the request may have been acted upon. Rejects with EgressProblem.
 */
export async function dialPermitted<Answer>(
  target: Target,
  { permit, limits, lookup, signal }: ProxyCall,
  dial: (address: string) => Promise<Answer>,
): Promise<Answer> {
  const deadline = createDeadline(limits.connectTimeoutMs, signal);
  let addresses: readonly string[];
  try {
    addresses = await findPermittedAddresses(target, { permit, lookup, deadline });
  } finally {
    deadline.clear();
  }
  let problem = new EgressProblem('unreachable', 'no connection could be made');
  for (const address of addresses) {
    try {
      return await dial(address);
    } catch (error) {
      if (!(error instanceof EgressProblem) || error.why !== 'unreachable') throw error;
      problem = error;
    }
  }
  throw problem;
}
