import type { Headers, Method } from './headers.ts';
import { EgressProblem } from './result.ts';
import { parseTarget, type Target } from './target.ts';

/** One request to one place: what a redirect turns into another. */
export interface Hop {
  readonly target: Target;
  readonly method: Method;
  readonly headers: Headers;
  readonly body: string;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Credentials are for the origin that they were given for. */
const CREDENTIALS = ['authorization', 'cookie'];
/** Fetch Standard, “request-body-header name”. */
const BODY_HEADERS = ['content-encoding', 'content-language', 'content-location', 'content-type'];

/**
 * The hop that a response asks for, undefined when it asks for none. Method and body change as the Fetch Standard
 * says (“HTTP-redirect fetch”); the target is to be checked like the first. Throws EgressProblem for a bad one.
 */
export function nextHop(hop: Hop, response: { readonly status: number; readonly location: string | undefined }): Hop | undefined {
  if (!REDIRECTS.has(response.status) || response.location === undefined) return undefined;
  const target = parseLocation(response.location, hop.target);
  const dropsBody =
    (hop.method === 'POST' && (response.status === 301 || response.status === 302)) ||
    (response.status === 303 && hop.method !== 'GET' && hop.method !== 'HEAD');
  const dropped = new Set([...(dropsBody ? BODY_HEADERS : []), ...(target.origin === hop.target.origin ? [] : CREDENTIALS)]);
  return {
    target,
    method: dropsBody ? 'GET' : hop.method,
    headers: new Map([...hop.headers].filter(([name]) => !dropped.has(name))),
    body: dropsBody ? '' : hop.body,
  };
}

function parseLocation(location: string, from: Target): Target {
  try {
    return parseTarget(location, from.url);
  } catch (error) {
    if (!(error instanceof EgressProblem)) throw error;
    throw new EgressProblem('bad-url', `it redirects to a URL that can't be requested: ${error.message}`);
  }
}
