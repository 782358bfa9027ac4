import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import { createServer as createRawServer, type AddressInfo, type Socket } from 'node:net';

import { onTestFinished } from 'vitest';

/** A real HTTP server on a free port of a loopback address; closed with its connections when the test ends. */
export async function useHttpServer(listener: RequestListener, address = '127.0.0.1'): Promise<{ port: number; server: Server }> {
  return listen(createServer(listener), address);
}

export async function useHttpsServer(tls: ServerOptions, listener: RequestListener): Promise<{ port: number; server: Server }> {
  return listen(createSecureServer(tls, listener), '127.0.0.1');
}

async function listen(server: Server, address: string): Promise<{ port: number; server: Server }> {
  server.listen(0, address);
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return { port: (server.address() as AddressInfo).port, server };
}

/** A server that speaks bytes, for what no HTTP server would say. */
export async function useRawServer(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createRawServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    const closed = once(server, 'close');
    server.close();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

/** Settles when a socket is gone, with or without an error. */
export const closeOf = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()));
