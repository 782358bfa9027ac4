import type { EgressProxyLimits, EgressProxyUsage } from './proxy-call.ts';
import { EgressProblem } from './result.ts';

/** Counts what moves through a proxy. */
export interface Meter {
  move(direction: 'sent' | 'received', bytes: number): void;
  /** False when more would be held in memory than may be. */
  tryBuffer(bytes: number): boolean;
  unbuffer(bytes: number): void;
  moved(): Pick<EgressProxyUsage, 'sentBytes' | 'receivedBytes'>;
}

/** Aborts `over` once more has moved than may. */
export function createMeter({ totalBytes, bufferedBytes }: EgressProxyLimits, over: AbortController): Meter {
  const moved = { sent: 0, received: 0 };
  let buffered = 0;
  return {
    move(direction, bytes) {
      moved[direction] += bytes;
      if (moved.sent + moved.received <= totalBytes) return;
      over.abort(new EgressProblem('too-large', `more than ${totalBytes} bytes have passed in this call`));
    },
    tryBuffer(bytes) {
      if (buffered + bytes > bufferedBytes) return false;
      buffered += bytes;
      return true;
    },
    unbuffer(bytes) {
      buffered -= bytes;
    },
    moved: () => ({ sentBytes: moved.sent, receivedBytes: moved.received }),
  };
}
