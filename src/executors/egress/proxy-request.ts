import type { IncomingMessage } from 'node:http';

import { EgressProblem } from './result.ts';
import { parseTarget, type Target } from './target.ts';

/** RFC 9110 §7.6.1, and what older clients send to proxies; framing and target are said anew. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'http2-settings',
]);
/** `host:port` and nothing else that a URL could hold (RFC 9110 §9.3.6). */
const AUTHORITY = /^[^/?#@\\]+:\d{1,5}$/;

type Head = Pick<IncomingMessage, 'url' | 'rawHeaders'>;

/** Where a request in absolute form goes (RFC 9112 §3.2.2). Throws EgressProblem. */
export function parseAbsoluteTarget(head: Head): Target {
  const text = head.url ?? '';
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) throw new EgressProblem('bad-url', 'this is a proxy, and wants an absolute URL or CONNECT');
  const target = parseTarget(text);
  if (target.secure) throw new EgressProblem('bad-url', 'https goes through CONNECT');
  requireSameHost(head, target, 80);
  return target;
}

/** Where a CONNECT goes: always with its port. Throws EgressProblem. */
export function parseTunnelTarget(head: Head): Target {
  const authority = head.url ?? '';
  if (!AUTHORITY.test(authority)) throw new EgressProblem('bad-url', 'CONNECT wants host:port');
  const target = parseTarget(`https://${authority}/`);
  // A Host without a port says nothing about it, for a tunnel has no default one.
  requireSameHost(head, target, target.port);
  return target;
}

/** A Host that names another place than the target is meant for somebody who looks at only one of the two (RFC 9112 §3.2). */
function requireSameHost(head: Head, target: Target, defaultPort: number): void {
  const hosts = valuesOf(head, 'host');
  if (hosts.length > 1) throw new EgressProblem('bad-header', 'it has more than one Host');
  const [host] = hosts;
  if (host === undefined) return;
  const port = /:(\d{1,5})$/.exec(host)?.[1];
  const named = tryParseHost(host);
  if (named !== target.host || Number(port ?? defaultPort) !== target.port) {
    throw new EgressProblem('bad-header', 'its Host is not that of its target');
  }
}

function tryParseHost(host: string): string | undefined {
  try {
    return /[/?#@\\]/.test(host) ? undefined : parseTarget(`http://${host}/`).host;
  } catch {
    return undefined;
  }
}

/**
 * Header fields to pass on, names and values in turns as Node takes them: without those that are for this connection only,
 * those that `Connection` names, and those of proxies. `drop` holds further lower-case names.
 */
export function passHeaders(head: Pick<IncomingMessage, 'rawHeaders'>, drop: readonly string[]): string[] {
  const dropped = new Set([
    ...drop,
    ...valuesOf(head, 'connection').flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase())),
  ]);
  const passed: string[] = [];
  for (let index = 0; index + 1 < head.rawHeaders.length; index += 2) {
    const name = head.rawHeaders[index] ?? '';
    const key = name.toLowerCase();
    if (!HOP_BY_HOP.has(key) && !key.startsWith('proxy-') && !dropped.has(key)) passed.push(name, head.rawHeaders[index + 1] ?? '');
  }
  return passed;
}

const valuesOf = ({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>, name: string): string[] =>
  rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);

/** The host and port that a request names, for a message: a path or query may hold secrets. Undefined when it names none. */
export function showPlace(head: Head & Pick<IncomingMessage, 'method'>): string | undefined {
  const text = head.url ?? '';
  try {
    const { host, port } = parseTarget(head.method === 'CONNECT' ? `https://${text}/` : text);
    return `"${host}:${port}"`;
  } catch {
    return undefined;
  }
}
