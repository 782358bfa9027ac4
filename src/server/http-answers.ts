import type { ServerResponse } from 'node:http';

export interface RefusalOptions {
  readonly status: number;
  /** JSON-RPC’s or MCP’s error code. */
  readonly code: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Errors of the transport have no code of their own in MCP; the SDK uses this one. */
export const TRANSPORT_ERROR = -32_000;
/** What the SDK answers to a session that it does not know. */
export const SESSION_NOT_FOUND = -32_001;

/** Refuses a request before it reaches the protocol, in the protocol’s own form. */
export function refuse(res: ServerResponse, { status, code, message, headers }: RefusalOptions): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  res.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers });
  res.end(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }));
}
