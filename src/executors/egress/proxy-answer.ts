import { type EgressFailureReason, EgressProblem } from './result.ts';

/** What a client is told when there is no answer from the other side. */
export interface ProxyAnswer {
  readonly status: number;
  /** One line of visible ASCII, for clients that show nothing else. */
  readonly phrase: string;
  /** One line. */
  readonly text: string;
}

const STATUS: Readonly<Record<EgressFailureReason, readonly [status: number, phrase: string]>> = {
  'bad-url': [400, 'Bad Request'],
  'bad-method': [405, 'Method Not Allowed'],
  'bad-header': [400, 'Bad Request'],
  refused: [403, 'Forbidden'],
  unresolved: [502, 'Bad Gateway'],
  unreachable: [502, 'Bad Gateway'],
  'too-large': [413, 'Content Too Large'],
  'too-many-redirects': [502, 'Bad Gateway'],
  'timed-out': [504, 'Gateway Timeout'],
  cancelled: [503, 'Service Unavailable'],
  'bad-response': [502, 'Bad Gateway'],
};
const MAX_TEXT_CHARS = 1000;
const MAX_PHRASE_CHARS = 160;

/** Names the place, the reason and, for a refusal, the capability and who refused it; holds neither header nor body. */
export function describeProblem(problem: EgressProblem, place: string | undefined): ProxyAnswer {
  const { refusal, why } = problem;
  const [status, plain] = STATUS[why];
  const what = place === undefined ? 'Cannot pass on a request' : `Cannot reach ${place}`;
  const by = refusal === undefined ? '' : ` (${refusal.capability}, refused by the ${refusal.by})`;
  return {
    status,
    phrase: refusal === undefined ? plain : toLine(`${plain}: ${refusal.capability} refused by the ${refusal.by}`, MAX_PHRASE_CHARS),
    text: toLine(`${what}: ${problem.message}${by}`, MAX_TEXT_CHARS),
  };
}

/** Whatever broke, as a problem. */
export function toProblem(error: unknown): EgressProblem {
  if (error instanceof EgressProblem) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return new EgressProblem('bad-response', `the connection ended without a valid response (${code})`);
}

/** The whole answer to a CONNECT that was refused, for a socket that no longer speaks through Node’s server. */
export function formatAnswer({ status, phrase, text }: ProxyAnswer): string {
  const body = `${text}\n`;
  return [
    `HTTP/1.1 ${status} ${phrase}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

const toLine = (text: string, maxChars: number): string => text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, maxChars);
