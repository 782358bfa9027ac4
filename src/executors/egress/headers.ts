import { EgressProblem } from './result.ts';

export const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD'] as const;
export type Method = (typeof METHODS)[number];

const MAX_HEADERS = 64;
const MAX_HEADER_BYTES = 16 * 1024;
/** RFC 9110 §5.6.2 and §5.5: a name is a token, a value has no control characters but the tab. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
/** Who is spoken to, how the message is framed and how it is encoded are the host’s (sandbox.md §D row 32). */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'accept-encoding',
  'http2-settings',
]);

/** Header fields by lower-case name. */
export type Headers = ReadonlyMap<string, string>;

/** Upper-cases and checks a method (agentzero.md §2, “http_request”). Throws EgressProblem. */
export function parseMethod(text: string): Method {
  const upper = text.toUpperCase();
  const method = METHODS.find((known) => known === upper);
  if (method === undefined)
    throw new EgressProblem('bad-method', `the method ${JSON.stringify(text.slice(0, 40))} is not one of ${METHODS.join(', ')}`);
  return method;
}

/** Checks header fields that a plugin chose. Messages name headers, never values. Throws EgressProblem. */
export function parseHeaders(fields: Readonly<Record<string, string>>): Headers {
  const entries = Object.entries(fields);
  if (entries.length > MAX_HEADERS) throw badHeader(`${entries.length} headers are given, at most ${MAX_HEADERS} are allowed`);
  const headers = new Map<string, string>();
  let bytes = 0;
  for (const [name, value] of entries) {
    const key = name.toLowerCase();
    const shown = JSON.stringify(name.slice(0, 60));
    if (!TOKEN.test(name)) throw badHeader(`the header name ${shown} holds a character that none may hold`);
    if (OWN_HEADERS.has(key) || key.startsWith('proxy-')) throw badHeader(`the header ${shown} is set by the host alone`);
    if (headers.has(key)) throw badHeader(`the header ${shown} is given twice`);
    if (!VALUE.test(value)) throw badHeader(`the value of the header ${shown} holds a character that none may hold`);
    bytes += name.length + value.length;
    headers.set(key, value);
  }
  if (bytes > MAX_HEADER_BYTES) throw badHeader(`the headers are longer than ${MAX_HEADER_BYTES} bytes`);
  return headers;
}

const badHeader = (reason: string): EgressProblem => new EgressProblem('bad-header', reason);
