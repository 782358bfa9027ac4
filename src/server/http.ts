import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { HostError, reasonOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { INTERNAL_MESSAGE } from './answers.ts';
import { isLoopback, toUrlHost, type ListenAddress } from './http-address.ts';
import { refuse, TRANSPORT_ERROR } from './http-answers.ts';
import { readJsonBody } from './http-body.ts';
import { createCallTracker } from './http-calls.ts';
import { createGuards } from './http-guards.ts';
import { createSessions } from './http-sessions.ts';
import { SERVER_LIMITS } from './limits.ts';
import type { McpServers } from './server.ts';

const ENDPOINT = '/mcp';
const METHODS = ['GET', 'POST', 'DELETE'];

/** Bounds of the HTTP side, each of which tests and operators may set. */
export const HTTP_DEFAULTS = {
  maxSessions: 64,
  sessionIdleMs: 30 * 60_000,
  maxConnections: 256,
  /** For the headers of a request. */
  headersTimeoutMs: 10_000,
  /** For all of a request; answers may take as long as calls do. */
  requestTimeoutMs: 30_000,
  /** How often both are enforced. */
  checkIntervalMs: 2000,
  /** For calls in flight when the server is closed. */
  graceMs: 5000,
} as const;

export interface HttpOptions {
  readonly address: ListenAddress;
  /** What clients must send as a bearer token; undefined only on loopback. */
  readonly token: string | undefined;
  /** Names beside the address itself by which clients may reach the server. */
  readonly allowedHosts?: readonly string[];
  readonly limits?: Partial<Record<keyof typeof HTTP_DEFAULTS, number>>;
  readonly log: Log;
}

export interface HttpEndpoint {
  /** With the port that was really taken. */
  readonly url: string;
  readonly port: number;
  /** Takes no more requests, lets calls in flight finish for `graceMs`, then ends them and every connection. */
  close(): Promise<void>;
}

/**
 * Serves MCP on `/mcp`, both protocol eras, and `GET /healthz`. Resolves when it listens.
 * Throws SERVER_NO_AUTH_REFUSED and SERVER_LISTEN_FAILED.
 */
export async function serveMcpHttp(servers: McpServers, options: HttpOptions): Promise<HttpEndpoint> {
  const { address, token, log } = options;
  const limits = { ...HTTP_DEFAULTS, ...options.limits };
  if (token === undefined && !isLoopback(address.host)) throw new HostError('SERVER_NO_AUTH_REFUSED', { address: address.host });

  const guards = createGuards({ host: address.host, allowedHosts: options.allowedHosts ?? [], token });
  const onerror = (error: Error): void => log.debug({ err: error }, 'A client broke the protocol or went away');
  // `sse`: with `auto`, a client hears nothing until the result, and Claude Code gives up after 60 s (mcp.md §2, trap 7).
  const modern = createMcpHandler(({ era }) => servers.create({ era }), { legacy: 'reject', responseMode: 'sse', onerror });
  const handleModern = toNodeHandler(modern, { onerror });
  const sessions = createSessions({
    createServer: () => servers.create({ era: 'legacy' }),
    maxSessions: limits.maxSessions,
    idleMs: limits.sessionIdleMs,
    log,
  });
  const calls = createCallTracker();
  let closing = false;

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (!guards.fromHere(req, res)) return;
    const [path] = (req.url ?? '/').split('?', 1);
    if (path === '/healthz' && req.method === 'GET') return answerHealth(res);
    if (path !== ENDPOINT) return refuse(res, { status: 404, code: TRANSPORT_ERROR, message: `Not found: the endpoint is ${ENDPOINT}` });
    if (!guards.withToken(req, res)) return;
    if (closing)
      return refuse(res, { status: 503, code: TRANSPORT_ERROR, message: 'The server is closing', headers: { Connection: 'close' } });
    if (!METHODS.includes(req.method ?? '')) {
      return refuse(res, { status: 405, code: TRANSPORT_ERROR, message: 'Method not allowed', headers: { Allow: METHODS.join(', ') } });
    }
    if (req.method === 'POST') await servePost(req, res);
    else await route(req, res, undefined);
  }

  async function servePost(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await readJsonBody(req, SERVER_LIMITS.messageBytes);
    switch (body.kind) {
      case 'json':
        calls.track(body.value, res);
        return route(req, res, body.value);
      case 'too-large': {
        const message = `Payload too large: a message must not exceed ${SERVER_LIMITS.messageBytes} bytes`;
        return refuse(res, { status: 413, code: TRANSPORT_ERROR, message, headers: { Connection: 'close' } });
      }
      case 'malformed':
        return refuse(res, { status: 400, code: ProtocolErrorCode.ParseError, message: 'Parse error: the body is not valid JSON' });
      case 'aborted':
        return;
    }
  }

  async function route(req: IncomingMessage, res: ServerResponse, body: unknown): Promise<void> {
    if (await isLegacyRequest(toProbe(req), body)) await sessions.handle(req, res, body);
    // The SDK’s type of a request is Node’s own but for `undefined` in optional members.
    else await handleModern(req as Parameters<typeof handleModern>[0], res, body);
  }

  const http = createServer({ connectionsCheckingInterval: limits.checkIntervalMs }, (req, res) => {
    serve(req, res).catch((error: unknown) => {
      log.error({ err: error }, 'Cannot answer an HTTP request');
      refuse(res, { status: 500, code: ProtocolErrorCode.InternalError, message: INTERNAL_MESSAGE });
    });
  });
  http.headersTimeout = limits.headersTimeoutMs;
  http.requestTimeout = limits.requestTimeoutMs;
  http.maxConnections = limits.maxConnections;
  const port = await listen(http, address, log);

  const subscriptions = [
    servers.changes.onToolsChanged(() => {
      modern.notify.toolsChanged();
      sessions.each((server) => server.sendToolListChanged());
    }),
    servers.changes.onResourcesChanged(() => {
      modern.notify.resourcesChanged();
      sessions.each((server) => server.sendResourceListChanged());
    }),
  ];

  return {
    port,
    url: `http://${toUrlHost(address.host)}:${port}${ENDPOINT}`,
    async close() {
      closing = true;
      const stopped = new Promise<void>((resolve) => http.close(() => resolve()));
      await calls.settled(limits.graceMs);
      for (const unsubscribe of subscriptions) unsubscribe();
      await Promise.all([modern.close(), sessions.close()]);
      http.closeAllConnections();
      await stopped;
    },
  };
}

/** All that the SDK looks at to tell the eras apart, beside the body. */
function toProbe(req: IncomingMessage): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    if (typeof value === 'string' && name.startsWith('mcp-')) headers.set(name, value);
  }
  return new Request('http://localhost/mcp', { method: req.method ?? 'GET', headers });
}

function answerHealth(res: ServerResponse): void {
  res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  res.end('{"status":"ok"}');
}

async function listen(http: HttpServer, { host, port }: ListenAddress, log: Log): Promise<number> {
  const address = `${toUrlHost(host)}:${port}`;
  await new Promise<void>((resolve, reject) => {
    http.once('error', (error) => reject(new HostError('SERVER_LISTEN_FAILED', { address, reason: reasonOf(error) }, { cause: error })));
    http.listen({ host, port }, resolve);
  });
  http.on('error', (error) => log.error({ err: error }, 'The HTTP server has a fault'));
  return (http.address() as AddressInfo).port;
}
