import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { requireAllowed } from './permission.ts';
import { dialPermitted, type ProxyCall } from './proxy-call.ts';
import { parseTunnelTarget } from './proxy-request.ts';
import { EgressProblem } from './result.ts';

const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';

/**
 * Connects a client to a host and passes bytes in both directions until one of them ends. What is inside cannot be looked
 * into; host, port and address are checked. Rejects with EgressProblem while the client can still be told.
 */
export async function tunnel(request: IncomingMessage, client: Duplex, call: ProxyCall, head: Buffer): Promise<void> {
  const target = parseTunnelTarget(request);
  requireAllowed(call.permit({ kind: 'net', host: target.host, port: target.port }));
  const server = await dialPermitted(target, call, (address) => open(address, target.port, call));
  client.once('close', () => server.destroy());
  server.once('close', () => client.destroy());
  client.on('data', (chunk: Buffer) => call.meter.move('sent', chunk.length));
  server.on('data', (chunk: Buffer) => call.meter.move('received', chunk.length));
  client.write(ESTABLISHED);
  if (head.length > 0) {
    call.meter.move('sent', head.length);
    server.write(head);
  }
  client.pipe(server);
  server.pipe(client);
}

/** Resolves once the connection stands; from then on it ends with the call’s signal or when nothing moves on it. */
function open(host: string, port: number, { limits, signal }: ProxyCall): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    const timer = setTimeout(() => socket.destroy(), limits.connectTimeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    let reason = 'closed';
    socket.on('error', (error) => (reason = 'code' in error ? String(error.code) : error.name));
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.setTimeout(limits.idleTimeoutMs, () => socket.destroy());
      resolve(socket);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      reject(new EgressProblem('unreachable', `no connection could be made (${reason})`));
    });
    if (signal.aborted) abort();
  });
}
