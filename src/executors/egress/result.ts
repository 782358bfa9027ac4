import type { Refusal } from '../executor.ts';

export interface EgressLimits {
  /** Bytes of a response body, as sent and as decoded. */
  readonly maxResponseBytes: number;
  readonly maxRequestBytes: number;
  readonly maxRedirects: number;
  /** Until the connection stands, TLS included, for each address. */
  readonly connectTimeoutMs: number;
  /** For the whole request: name resolution, every redirect, and the body. */
  readonly totalTimeoutMs: number;
}

export const DEFAULT_EGRESS_LIMITS: EgressLimits = {
  maxResponseBytes: 5 * 1024 * 1024,
  maxRequestBytes: 4 * 1024 * 1024,
  maxRedirects: 5,
  connectTimeoutMs: 10_000,
  totalTimeoutMs: 30_000,
};

/** Why a request has no response. */
export type EgressFailureReason =
  /** Not a URL that is ever requested; nothing was resolved or dialled. */
  | 'bad-url'
  | 'bad-method'
  | 'bad-header'
  /** `permit` said no; `refusal` is its answer. */
  | 'refused'
  | 'unresolved'
  | 'unreachable'
  | 'too-large'
  | 'too-many-redirects'
  | 'timed-out'
  | 'cancelled'
  /** The other side broke off or broke the protocol. */
  | 'bad-response';

export interface EgressFailure {
  readonly ok: false;
  readonly why: EgressFailureReason;
  /** One sentence for people and models; holds no header and no body. */
  readonly message: string;
  readonly refusal?: Refusal;
}
export interface EgressResponse {
  readonly ok: true;
  readonly status: number;
  /** Decoded as UTF-8: what isn’t becomes U+FFFD, a byte order mark is dropped. */
  readonly body: string;
}
export type EgressResult = EgressResponse | EgressFailure;

/** Ends a request from inside; `createEgress()` turns it into an `EgressFailure`. */
export class EgressProblem extends Error {
  override readonly name = 'EgressProblem';
  readonly why: EgressFailureReason;
  readonly refusal: Refusal | undefined;

  constructor(why: EgressFailureReason, reason: string, refusal?: Refusal) {
    super(reason);
    this.why = why;
    this.refusal = refusal;
  }
}
