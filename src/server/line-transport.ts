import type { Readable, Writable } from 'node:stream';
import {
  parseJSONRPCMessage,
  ProtocolErrorCode,
  serializeMessage,
  type JSONRPCMessage,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/server';
import { createLineReader } from './line-reader.ts';
import { isObject, isPlainRequest } from './plain-request.ts';

export interface LineTransportOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Bytes of the longest line that is read; a longer one is answered with an error and skipped. */
  readonly maxLineBytes: number;
  /** How long requests that are already in work may still be answered after the input has ended. */
  readonly drainMs: number;
}

/**
 * MCP over lines of JSON, as the SDK’s own stdio transport, but a line that is no message gets the answer that
 * JSON-RPC 2.0 §5.1 wants (-32700, -32600), and a line that is too long costs only itself, not the connection.
 * After the input’s end, requests in work may finish for `drainMs`; after an error of either stream it closes at once.
 */
export function createLineTransport({ input, output, maxLineBytes, drainMs }: LineTransportOptions): Transport {
  const open = new Set<RequestId>();
  let closed = false;
  let draining: NodeJS.Timeout | undefined;
  let drained: Promise<void> | undefined;

  const reader = createLineReader({
    maxLineBytes,
    onLine: receive,
    onTooLong: () => refuse(null, ProtocolErrorCode.InvalidRequest, `Invalid Request: a message must not exceed ${maxLineBytes} bytes`),
  });

  function receive(line: string): void {
    if (line.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      refuse(null, ProtocolErrorCode.ParseError, 'Parse error: the line is not valid JSON');
      return;
    }
    const message = isPlainRequest(value) ? value : tryParseMessage(value);
    if (message === undefined) refuseMessage(value);
    else deliver(message);
  }

  function deliver(message: JSONRPCMessage): void {
    // A subscription is never answered while it lasts, so nobody waits for it.
    if ('method' in message && 'id' in message && message.method !== 'subscriptions/listen') open.add(message.id);
    else if ('method' in message && message.method === 'notifications/cancelled') settle(message.params?.['requestId'] as RequestId);
    transport.onmessage?.(message);
  }

  function refuseMessage(value: unknown): void {
    // An answer to a broken answer could be answered in turn, without end.
    if (isObject(value) && !('method' in value) && ('result' in value || 'error' in value)) return;
    const id = isObject(value) && (typeof value['id'] === 'string' || typeof value['id'] === 'number') ? value['id'] : null;
    refuse(id, ProtocolErrorCode.InvalidRequest, 'Invalid Request: the line is not a JSON-RPC 2.0 message');
  }

  function refuse(id: RequestId | null, code: number, message: string): void {
    transport.onerror?.(new Error(message));
    if (!closed) void write(`${JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } })}\n`);
  }

  function settle(id: RequestId | undefined): void {
    if (id !== undefined) open.delete(id);
    if (draining !== undefined && open.size === 0) void close();
  }

  function write(text: string): Promise<void> {
    if (output.write(text)) return drained ?? Promise.resolve();
    // One listener for all that wait, however many there are.
    drained ??= new Promise((resolve) => {
      output.once('drain', () => {
        drained = undefined;
        resolve();
      });
    });
    return drained;
  }

  function onEnd(): void {
    if (open.size === 0) void close();
    else draining ??= setTimeout(() => void close(), drainMs);
  }

  function onError(error: Error): void {
    transport.onerror?.(error);
    void close();
  }

  function onData(chunk: Buffer): void {
    reader.push(chunk);
  }

  function close(): Promise<void> {
    if (closed) return Promise.resolve();
    closed = true;
    clearTimeout(draining);
    input.off('data', onData).off('end', onEnd).off('close', onEnd);
    input.pause();
    transport.onclose?.();
    return Promise.resolve();
  }

  const transport: Transport = {
    start() {
      // The error listeners stay after closing: a late EPIPE must not take the process down.
      input.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
      output.on('error', onError);
      if (input.readableEnded || input.destroyed) setImmediate(onEnd);
      return Promise.resolve();
    },
    send(message) {
      if (closed) return Promise.reject(new Error('The connection is closed'));
      const written = write(serializeMessage(message));
      if ('result' in message || 'error' in message) settle(message.id);
      return written;
    },
    close,
  };
  return transport;
}

function tryParseMessage(value: unknown): JSONRPCMessage | undefined {
  try {
    return parseJSONRPCMessage(value);
  } catch {
    return undefined;
  }
}
