import type { Readable, Writable } from 'node:stream';
import type { Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { reasonOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { createDirectCalls } from './direct-calls.ts';
import { createLineTransport } from './line-transport.ts';
import { SERVER_LIMITS } from './limits.ts';
import type { McpServers } from './server.ts';

/** Long enough for requests that were piped in with the end of the input right behind them, short of the 2 s after which clients kill. */
const DRAIN_MS = 1000;

export interface StdioOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly log: Log;
}

export interface StdioConnection {
  /** Resolves when the connection has ended, whoever ended it; the process may exit then. */
  readonly closed: Promise<void>;
  /** Aborts the calls in flight and ends the connection. */
  close(): Promise<void>;
}

/**
 * Serves one client over a pair of streams. A client hangs up by ending the input: its calls are aborted and
 * `closed` resolves. That is the moment to exit, for timers and watchers would keep the process alive (mcp.md §2, trap 9).
 */
export function serveMcpStdio(servers: McpServers, { input, output, log }: StdioOptions): StdioConnection {
  const live = new Set<Server>();
  /** Of the older era, once its handshake is complete. */
  let initialized: Server | undefined;
  const wire = createLineTransport({ input, output, maxLineBytes: SERVER_LIMITS.messageBytes, drainMs: DRAIN_MS });

  const handle = serveStdio(
    ({ era }) => {
      const server = servers.create({ era });
      // Before a handshake is complete a client expects no notifications (2025-11-25, basic/lifecycle).
      if (era === 'modern') live.add(server);
      else {
        server.oninitialized = () => {
          live.add(server);
          initialized = server;
        };
      }
      server.onclose = () => live.delete(server);
      return server;
    },
    { transport: wire, onerror: (error) => log.debug({ err: error }, 'A client broke the protocol') },
  );

  const notify = (send: (server: Server) => Promise<void>): void => {
    for (const server of live) send(server).catch((error: unknown) => log.debug(`Cannot notify a client: ${reasonOf(error)}`));
  };
  const subscriptions = [
    servers.changes.onToolsChanged(() => notify((server) => server.sendToolListChanged())),
    servers.changes.onResourcesChanged(() => notify((server) => server.sendResourceListChanged())),
  ];

  const direct = createDirectCalls(wire, servers.tools);
  const toSdk = wire.onmessage;
  wire.onmessage = (message, extra) => {
    if (initialized === undefined || !direct.take(initialized, message)) toSdk?.(message, extra);
  };

  const closed = new Promise<void>((resolve) => {
    // The SDK has set its own handler by now; both must run.
    const tearDown = wire.onclose;
    wire.onclose = () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      direct.close();
      tearDown?.();
      resolve();
    };
  });
  return {
    closed,
    async close() {
      await handle.close();
      await closed;
    },
  };
}
