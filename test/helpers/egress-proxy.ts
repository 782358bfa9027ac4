import { connect, type Socket } from 'node:net';

import { onTestFinished } from 'vitest';

import { createEgressProxy, DEFAULT_EGRESS_PROXY_LIMITS, type EgressProxyLimits } from '../../src/executors/egress/proxy.ts';
import type { Lookup } from '../../src/executors/egress/resolve.ts';
import type { CapabilityUse, Permit } from '../../src/executors/executor.ts';

export interface ProxySetup {
  readonly limits?: Partial<EgressProxyLimits>;
  readonly lookup?: Lookup;
  readonly permit?: (use: CapabilityUse) => Permit;
  /** False: no call has begun. */
  readonly attached?: boolean;
}

/** A proxy that permits everything unless told otherwise, with what it asked and a client that speaks bytes. */
export async function useEgressProxy({ limits, lookup, permit, attached = true }: ProxySetup = {}) {
  const asked: CapabilityUse[] = [];
  const proxy = await createEgressProxy({ limits: { ...DEFAULT_EGRESS_PROXY_LIMITS, ...limits }, ...(lookup ? { lookup } : {}) });
  onTestFinished(() => proxy.close());
  if (attached) {
    proxy.attach((use) => {
      asked.push(use);
      return permit?.(use) ?? { allowed: true };
    });
  }
  const open = (): Socket => connect({ path: proxy.socketFile, allowHalfOpen: true });
  /** Says this and resolves with all that comes back. */
  const say = (text: string | Buffer): Promise<string> => readAll(open(), text);
  const get = (url: string, headers = ''): Promise<string> =>
    say(`GET ${url} HTTP/1.1\r\nConnection: close\r\n${headers || `Host: ${hostOf(url)}\r\n`}\r\n`);
  return { proxy, asked, open, say, get };
}

const hostOf = (url: string): string => /^[a-z]+:\/\/([^/?#]*)/i.exec(url)?.[1] ?? '';

/** Writes, ends its own side, and collects the other until it ends. */
export function readAll(socket: Socket, text: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.once('end', () => socket.destroy());
    socket.write(text);
  });
}

/** The status and the body of a plain answer. */
export function parseAnswer(text: string): { readonly status: number; readonly body: string } {
  const [head = '', ...body] = text.split('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), body: body.join('\r\n\r\n') };
}
