import type { LiveEnds, LogLine } from '../executors/executor.ts';
import type { CallRequest } from './outcome.ts';

/** Lines kept for the outcome; all of them go to the client as they come. */
const MAX_KEPT_LINES = 200;

export interface LiveCall {
  /** What belongs to the client’s side of the call. */
  readonly ends: Pick<LiveEnds, 'signal' | 'log' | 'progress'>;
  readonly logs: readonly LogLine[];
  /** Stops the execution because a person must be asked first; always true. */
  stopToAsk(): true;
  stoppedToAsk(): boolean;
  close(): void;
}

/** The live ends of one call: the client’s cancellation and our own in one signal, log and progress passed on. */
export function createLiveCall(request: CallRequest): LiveCall {
  const logs: LogLine[] = [];
  const stop = new AbortController();
  const onAbort = (): void => stop.abort();
  let asking = false;
  if (request.signal.aborted) stop.abort();
  else request.signal.addEventListener('abort', onAbort, { once: true });
  return {
    logs,
    ends: {
      signal: stop.signal,
      log(line) {
        if (logs.length < MAX_KEPT_LINES) logs.push(line);
        request.onLog?.(line);
      },
      progress: (progress) => request.onProgress?.(progress),
    },
    stopToAsk() {
      asking = true;
      stop.abort();
      return true;
    },
    stoppedToAsk: () => asking,
    close: () => request.signal.removeEventListener('abort', onAbort),
  };
}
