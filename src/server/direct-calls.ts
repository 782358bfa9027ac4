import {
  ProtocolError,
  ProtocolErrorCode,
  type JSONRPCMessage,
  type RequestId,
  type Server,
  type Transport,
} from '@modelcontextprotocol/server';
import { INTERNAL_MESSAGE } from './answers.ts';
import { isPlainRequest } from './plain-request.ts';
import type { Tools } from './tools.ts';

/** Answers plain calls of plugins’ tools past the SDK, whose way to a handler costs as much as all the rest of a call. */
export interface DirectCalls {
  /** Whether the message was taken: a plain `tools/call`, or the cancellation of one. */
  take(server: Server, message: JSONRPCMessage): boolean;
  /** Cancels what is under way; nothing is answered any more. */
  close(): void;
}

/**
 * Takes only what needs nothing of the SDK: a call without `_meta`, so without progress and of the older era, of a known
 * tool that will not ask a person. Everything else goes its usual way.
 */
export function createDirectCalls(wire: Pick<Transport, 'send'>, tools: Tools): DirectCalls {
  const underWay = new Map<RequestId, AbortController>();

  const answer = async (id: RequestId, call: Promise<JSONRPCMessage>): Promise<void> => {
    const message = await call;
    // A cancelled request is not answered (2025-11-25, basic/utilities/cancellation).
    if (underWay.get(id)?.signal.aborted !== false) return void underWay.delete(id);
    underWay.delete(id);
    // A client that is gone needs no answer; the transport tells of it.
    await wire.send(message).catch(() => {});
  };

  const call = async (server: Server, { id, name, args, signal }: DirectCall): Promise<JSONRPCMessage> => {
    try {
      return { jsonrpc: '2.0', id, result: await tools.callDirectly({ name, arguments: args }, { server, signal }) };
    } catch (error) {
      const { code, message } =
        error instanceof ProtocolError ? error : { code: ProtocolErrorCode.InternalError, message: INTERNAL_MESSAGE };
      return { jsonrpc: '2.0', id, error: { code, message } };
    }
  };

  return {
    take(server, message) {
      if (!('method' in message)) return false;
      if (message.method === 'notifications/cancelled') {
        const cancelled = underWay.get(message.params?.['requestId'] as RequestId);
        cancelled?.abort();
        return cancelled !== undefined;
      }
      if (message.method !== 'tools/call' || !isPlainRequest(message) || underWay.has(message.id)) return false;
      const { name, arguments: args, ...rest } = message.params ?? {};
      if (typeof name !== 'string' || !isArguments(args) || Object.keys(rest).length > 0) return false;
      if (!tools.canCallDirectly(name, server)) return false;
      const stop = new AbortController();
      underWay.set(message.id, stop);
      void answer(message.id, call(server, { id: message.id, name, args, signal: stop.signal }));
      return true;
    },
    close() {
      for (const stop of underWay.values()) stop.abort();
    },
  };
}

interface DirectCall {
  readonly id: RequestId;
  readonly name: string;
  readonly args: Record<string, unknown> | undefined;
  readonly signal: AbortSignal;
}

const isArguments = (value: unknown): value is Record<string, unknown> | undefined =>
  value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value));
