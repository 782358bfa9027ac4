import type { JSONRPCRequest } from '@modelcontextprotocol/server';

const KEYS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);

/**
 * Whether the SDK’s schema would take this as a request and leave it as it is, and whether it carries nothing of the
 * envelope that came with 2026-07-28. Says no to many a request: those go the long way, which costs as much as all that
 * follows it up to the handler.
 */
export function isPlainRequest(value: unknown): value is JSONRPCRequest {
  if (!isObject(value) || value['jsonrpc'] !== '2.0' || typeof value['method'] !== 'string') return false;
  const { id, params } = value;
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) return false;
  if (params !== undefined && (!isObject(params) || '_meta' in params || Object.hasOwn(params, '__proto__'))) return false;
  return Object.keys(value).every((key) => KEYS.has(key));
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
