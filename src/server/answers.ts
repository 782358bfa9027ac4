import { ProtocolError, ProtocolErrorCode, type CallToolResult } from '@modelcontextprotocol/server';
import { HostError } from '../errors.ts';
import type { Log } from '../log.ts';

/** What a client gets to know of a fault of ours; the detail is in the log. */
export const INTERNAL_MESSAGE = 'Internal error: the log of plugbridge has the detail';

/**
 * The protocol’s answer to anything thrown while a request other than `tools/call` was served.
 * The fault alone selects it: the caller’s is -32602, any other -32603, and a fault of the host keeps its detail to the log.
 */
export function toProtocolError(error: unknown, log: Log, method: string): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof HostError && error.fault !== 'host') {
    log.debug({ method, code: error.code }, error.message);
    const code = error.fault === 'caller' ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError;
    return new ProtocolError(code, `${error.code}: ${error.message}`);
  }
  log.error({ err: error, method }, 'Cannot answer a request');
  return new ProtocolError(ProtocolErrorCode.InternalError, INTERNAL_MESSAGE);
}

/**
 * The answer to anything thrown during `tools/call`: a result that the model can act on,
 * unless the host is at fault, which is thrown on as -32603.
 */
export function toFailedCall(error: unknown, log: Log, tool: string): CallToolResult {
  if (error instanceof HostError && error.fault !== 'host') {
    log.debug({ tool, code: error.code }, error.message);
    return failedCall(`${error.code}: ${error.message}`);
  }
  throw toProtocolError(error, log, 'tools/call');
}

/** A tool error of ours: what went wrong, in words that the model reads. */
export const failedCall = (text: string): CallToolResult => ({ content: [{ type: 'text', text }], isError: true });
