import { request as requestHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { requireAllowed } from './permission.ts';
import { dialPermitted, type ProxyCall } from './proxy-call.ts';
import { parseAbsoluteTarget, passHeaders } from './proxy-request.ts';
import { EgressProblem } from './result.ts';
import { authorityOf, type Target } from './target.ts';

const OWN_HEADERS = ['host', 'content-length'];
/** Echoes what it was sent, credentials included. */
const REFUSED_METHOD = 'TRACE';

/**
 * Passes one plain request on and its response back, unchanged but for the headers of the connection; redirects are the
 * client’s to follow, and then asked for again. The body is read whole before anything is sent, for `permit` may look into
 * it. Rejects with EgressProblem when there is no answer, or with whatever broke an answer that had begun.
 */
export async function forward(request: IncomingMessage, response: ServerResponse, call: ProxyCall): Promise<void> {
  const { permit, meter } = call;
  const method = request.method ?? '';
  if (method === REFUSED_METHOD) throw new EgressProblem('bad-method', `the method ${REFUSED_METHOD} is not passed on`);
  const target = parseAbsoluteTarget(request);
  const { host, port } = target;
  requireAllowed(permit({ kind: 'net', host, port }));
  const body = await readBody(request, call);
  let answer: IncomingMessage;
  try {
    if (body.length > 0) requireAllowed(permit({ kind: 'net-body', host, body: body.toString('utf8') }));
    answer = await dialPermitted(target, call, (address) => send({ request, target, body, address }, call));
  } finally {
    meter.unbuffer(body.length);
  }
  response.once('close', () => answer.destroy());
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, passHeaders(answer, []));
  await pipeline(answer, countBytes(call), response);
}

/** What is sent, and where to: an address that has been checked. */
interface Sending {
  readonly request: IncomingMessage;
  readonly target: Target;
  readonly body: Buffer;
  readonly address: string;
}

function send({ request, target, body, address }: Sending, { limits, signal }: ProxyCall): Promise<IncomingMessage> {
  const hasBody = body.length > 0 || request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  const headers = [
    'Host',
    authorityOf(target),
    ...passHeaders(request, OWN_HEADERS),
    ...(hasBody ? ['Content-Length', String(body.length)] : []),
    'Connection',
    'close',
  ];
  return new Promise((resolve, reject) => {
    let connected = false;
    const outgoing = requestHttp({
      host: address,
      port: target.port,
      path: target.path,
      method: request.method,
      headers,
      setHost: false,
      agent: false,
      signal,
      maxHeaderSize: limits.headerBytes,
      insecureHTTPParser: false,
    });
    const timer = setTimeout(() => outgoing.destroy(), limits.connectTimeoutMs);
    outgoing.once('socket', (socket) =>
      socket.once('connect', () => {
        connected = true;
        clearTimeout(timer);
        socket.setTimeout(limits.idleTimeoutMs, () => socket.destroy());
      }),
    );
    outgoing.once('response', (answer) => {
      // Whoever reads it attaches its own; this one keeps an error in between from ending the process.
      answer.on('error', () => undefined);
      resolve(answer);
    });
    const fail = (code: string): void => {
      clearTimeout(timer);
      if (signal.aborted) reject(signal.reason);
      else if (connected) reject(new EgressProblem('bad-response', `the connection ended without a valid response (${code})`));
      else reject(new EgressProblem('unreachable', `no connection could be made (${code})`));
    };
    outgoing.on('error', (error) => fail(codeOf(error)));
    // An answer of 101 ends the connection without an error; after a response this changes nothing.
    outgoing.once('close', () => fail('closed'));
    outgoing.end(body);
  });
}

/** Its bytes stay counted as held in memory until the caller says otherwise. */
async function readBody(request: IncomingMessage, { limits, meter }: ProxyCall): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      meter.move('sent', chunk.length);
      if (bytes + chunk.length > limits.requestBytes)
        throw new EgressProblem('too-large', `its body is larger than ${limits.requestBytes} bytes`);
      if (!meter.tryBuffer(chunk.length)) throw new EgressProblem('too-large', 'the bodies of all requests together are too large');
      bytes += chunk.length;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    meter.unbuffer(bytes);
    throw error;
  }
}

const countBytes = ({ meter }: ProxyCall): Transform =>
  new Transform({
    transform(chunk: Buffer, _encoding, done) {
      meter.move('received', chunk.length);
      done(null, chunk);
    },
  });

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : error.name);
