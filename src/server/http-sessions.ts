import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isInitializeRequest, isJSONRPCNotification, type Server } from '@modelcontextprotocol/server';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { reasonOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { refuse, SESSION_NOT_FOUND, TRANSPORT_ERROR } from './http-answers.ts';

export interface SessionOptions {
  createServer(): Server;
  /** Sessions at a time; beyond it an idle one has to go, or the new one is refused. */
  readonly maxSessions: number;
  /** A session without an open exchange for this long is closed: clients seldom say goodbye (mcp.md §2, trap 6). */
  readonly idleMs: number;
  readonly log: Log;
}

/** Clients of before 2026-07-28, which keep state on a connection of several requests. */
export interface Sessions {
  /** Serves one HTTP request; `body` is undefined for GET and DELETE. */
  handle(req: IncomingMessage, res: ServerResponse, body: unknown): Promise<void>;
  /** Does something with the server of every session whose handshake is complete. */
  each(action: (server: Server) => Promise<void>): void;
  readonly size: number;
  close(): Promise<void>;
}

interface Session {
  readonly transport: NodeStreamableHTTPServerTransport;
  readonly server: Server;
  ready: boolean;
  /** HTTP exchanges that are open, an event stream among them. */
  open: number;
  lastUsedMs: number;
}

export function createSessions(options: SessionOptions): Sessions {
  const { log, idleMs, maxSessions } = options;
  const sessions = new Map<string, Session>();
  let starting = 0;

  const end = (id: string, session: Session): void => {
    sessions.delete(id);
    session.server.close().catch((error: unknown) => log.debug(`Cannot close a session: ${reasonOf(error)}`));
  };
  const sweep = setInterval(
    () => {
      const before = performance.now() - idleMs;
      for (const [id, session] of sessions) if (session.open === 0 && session.lastUsedMs <= before) end(id, session);
    },
    Math.min(Math.max(idleMs / 4, 10), 30_000),
  ).unref();

  function makeRoom(): boolean {
    if (sessions.size + starting < maxSessions) return true;
    const idle = [...sessions].filter(([, session]) => session.open === 0);
    const [oldest] = idle.toSorted(([, a], [, b]) => a.lastUsedMs - b.lastUsedMs);
    if (oldest === undefined) return false;
    end(...oldest);
    return true;
  }

  async function exchange(session: Session, req: IncomingMessage, res: ServerResponse, body: unknown): Promise<void> {
    session.open += 1;
    res.once('close', () => {
      session.open -= 1;
      session.lastUsedMs = performance.now();
    });
    await session.transport.handleRequest(req, res, body);
  }

  async function start(req: IncomingMessage, res: ServerResponse, body: unknown): Promise<void> {
    if (!makeRoom()) {
      const message = `Too many sessions: ${maxSessions} are in use, try again later`;
      refuse(res, { status: 503, code: TRANSPORT_ERROR, message, headers: { 'Retry-After': '10' } });
      return;
    }
    starting += 1;
    try {
      const transport = new NodeStreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: (id) => void sessions.set(id, session),
        onsessionclosed: (id) => void sessions.delete(id),
      });
      const session: Session = { transport, server: options.createServer(), ready: false, open: 0, lastUsedMs: performance.now() };
      session.server.oninitialized = () => (session.ready = true);
      await session.server.connect(transport);
      closeStreamsOfCancelledCalls(transport);
      await exchange(session, req, res, body);
      // The handshake was refused, for its headers or its shape.
      if (transport.sessionId === undefined) await session.server.close();
    } finally {
      starting -= 1;
    }
  }

  return {
    async handle(req, res, body) {
      const id = req.headers['mcp-session-id'];
      if (id === undefined && isInitializeRequest(body)) return start(req, res, body);
      if (typeof id !== 'string') {
        const message = 'Bad Request: begin with an initialize request, then send its Mcp-Session-Id';
        return refuse(res, { status: 400, code: TRANSPORT_ERROR, message });
      }
      const session = sessions.get(id);
      if (session === undefined) return refuse(res, { status: 404, code: SESSION_NOT_FOUND, message: 'Session not found' });
      return exchange(session, req, res, body);
    },
    each(action) {
      for (const { server, ready } of sessions.values()) {
        if (ready) action(server).catch((error: unknown) => log.debug(`Cannot notify a session: ${reasonOf(error)}`));
      }
    },
    get size() {
      return sessions.size;
    },
    async close() {
      clearInterval(sweep);
      const servers = [...sessions.values()].map((session) => session.server);
      sessions.clear();
      await Promise.allSettled(servers.map((server) => server.close()));
    },
  };
}

/** A cancelled request gets no response, so nothing else would ever end its stream, and the session would never be idle. */
function closeStreamsOfCancelledCalls(transport: NodeStreamableHTTPServerTransport): void {
  const deliver = transport.onmessage;
  transport.onmessage = (message, extra) => {
    deliver?.(message, extra);
    if (!isJSONRPCNotification(message) || message.method !== 'notifications/cancelled') return;
    const id = message.params?.['requestId'];
    if (typeof id === 'string' || typeof id === 'number') transport.closeSSEStream(id);
  };
}
