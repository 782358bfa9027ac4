import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

import type { CapabilityUse, Permit } from '../executor.ts';
import { makeTemporaryDirectory } from '../sandbox/temporary-directory.ts';
import { describeProblem, formatAnswer, toProblem } from './proxy-answer.ts';
import { DEFAULT_EGRESS_PROXY_LIMITS, type EgressProxyLimits, type EgressProxyUsage, type ProxyCall } from './proxy-call.ts';
import { forward } from './proxy-forward.ts';
import { createMeter } from './proxy-meter.ts';
import { showPlace } from './proxy-request.ts';
import { tunnel } from './proxy-tunnel.ts';
import { type Lookup, systemLookup } from './resolve.ts';
import { EgressProblem } from './result.ts';

export { DEFAULT_EGRESS_PROXY_LIMITS } from './proxy-call.ts';
export type { EgressProxyLimits, EgressProxyUsage } from './proxy-call.ts';

export interface EgressProxyOptions {
  readonly limits?: EgressProxyLimits;
  /** How names are resolved; the operating system’s way when absent. */
  readonly lookup?: Lookup;
}

/**
 * The network of one sandboxed process: an HTTP proxy on a unix socket that is bound into its sandbox and into no other, so
 * that whoever speaks to it is known (sandbox.md §B, “Filtered egress”).
 */
export interface EgressProxy {
  /** To be mounted at its own path. */
  readonly socketFile: string;
  /**
   * Lets the process reach what `permit` allows; before that everything is refused. Asked for every request and tunnel: `net`
   * before anything is resolved, `net-body` for a body that is not in a tunnel, `net-address` for every address.
   */
  attach(permit: (use: CapabilityUse) => Permit): void;
  usage(): EgressProxyUsage;
  /** Ends every connection and removes the socket. Safe to call twice. */
  close(): Promise<void>;
}

/** `sun_path` of unix(7) with its end; macOS has four bytes less. */
const MAX_SOCKET_PATH_BYTES = 103;
const NAME_BYTES = 12;
/** `plugbridge-PID.START.NAMESPACE-XXXXXX`. */
const LONGEST_DIRECTORY_CHARS = 50;
const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5000;
const MAX_HEADERS = 100;

/** Starts the proxy of one process. Rejects with what the system says when no socket can be made. */
export async function createEgressProxy({
  limits = DEFAULT_EGRESS_PROXY_LIMITS,
  lookup = systemLookup,
}: EgressProxyOptions = {}): Promise<EgressProxy> {
  const directory = makeSocketDirectory();
  const socketFile = join(directory, randomBytes(NAME_BYTES).toString('hex'));
  const clients = new Set<Duplex>();
  const over = new AbortController();
  const meter = createMeter(limits, over);
  let permit: ((use: CapabilityUse) => Permit) | undefined;
  let requests = 0;

  /** Runs one request or tunnel; `fail` tells the client, as far as that still can be done. */
  const serve = async (
    request: IncomingMessage,
    gone: (listener: () => void) => void,
    run: (call: ProxyCall) => Promise<void>,
    fail: (problem: EgressProblem) => void,
  ): Promise<void> => {
    requests += 1;
    const leaving = new AbortController();
    gone(() => leaving.abort(new EgressProblem('cancelled', 'the client went away')));
    try {
      if (!permit) throw new EgressProblem('refused', 'no call is running');
      over.signal.throwIfAborted();
      await run({ permit, limits, lookup, meter, signal: AbortSignal.any([leaving.signal, over.signal]) });
    } catch (error) {
      fail(toProblem(error));
    }
  };

  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      insecureHTTPParser: false,
    },
    (request, response) => {
      void serve(
        request,
        (listener) => response.once('close', listener),
        (call) => forward(request, response, call),
        (problem) => {
          request.resume();
          refuse(response, problem, showPlace(request));
        },
      );
    },
  );
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    void serve(
      request,
      (listener) => client.once('close', listener),
      (call) => tunnel(request, client, call, head),
      (problem) => client.end(formatAnswer(describeProblem(problem, showPlace(request)))),
    );
  });
  server.on('connection', (client) => {
    clients.add(client);
    client.on('error', () => client.destroy());
    client.once('close', () => clients.delete(client));
  });
  server.on('clientError', (_error, client) => {
    client.end(formatAnswer(describeProblem(new EgressProblem('bad-header', 'it is no valid HTTP'), undefined)));
  });
  server.maxConnections = limits.connections;
  server.maxHeadersCount = MAX_HEADERS;
  over.signal.addEventListener('abort', () => clients.forEach((client) => client.destroy()));

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = server.listening ? once(server, 'close') : undefined;
    server.close();
    for (const client of clients) client.destroy();
    await closed;
    await rm(directory, { recursive: true, force: true });
  };

  try {
    server.listen(socketFile);
    await once(server, 'listening');
    // Whoever runs in the sandbox may be another user; the name is the key, and only the sandbox is told.
    chmodSync(socketFile, 0o666);
    chmodSync(directory, 0o711);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    socketFile,
    attach: (given) => {
      permit = given;
    },
    usage: () => ({ requests, ...meter.moved() }),
    close: () => (closing ??= close()),
  };
}

function refuse(response: ServerResponse, problem: EgressProblem, place: string | undefined): void {
  // Half an answer must not look like a whole one.
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, phrase, text } = describeProblem(problem, place);
  const body = `${text}\n`;
  response.writeHead(status, phrase, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  response.end(body);
}

/** `/tmp` where the system’s temporary directory has too long a name for a socket. */
function makeSocketDirectory(): string {
  const longest = join(realpathSync(tmpdir()), 'f'.repeat(LONGEST_DIRECTORY_CHARS), 'f'.repeat(NAME_BYTES * 2));
  return makeTemporaryDirectory(Buffer.byteLength(longest) <= MAX_SOCKET_PATH_BYTES ? undefined : '/tmp');
}
