import { EgressProblem } from './result.ts';

export interface Deadline {
  /** Aborted at the deadline or with the caller’s signal; its reason is an EgressProblem that says which. */
  readonly signal: AbortSignal;
  /** Settles as the promise does, or rejects as soon as the signal aborts, for work that can’t be stopped. */
  race<Value>(work: Promise<Value>): Promise<Value>;
  clear(): void;
}

/** Joins a caller’s signal and a time limit; the first reason wins. */
export function createDeadline(timeoutMs: number, caller: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const { signal } = controller;
  const cancel = (): void => controller.abort(new EgressProblem('cancelled', 'the call was cancelled'));
  const timer = setTimeout(() => controller.abort(new EgressProblem('timed-out', `it took longer than ${timeoutMs} ms`)), timeoutMs);
  if (caller?.aborted) cancel();
  caller?.addEventListener('abort', cancel, { once: true });

  return {
    signal,
    race: (work) =>
      new Promise((resolve, reject) => {
        const abort = (): void => reject(signal.reason);
        if (signal.aborted) abort();
        signal.addEventListener('abort', abort, { once: true });
        work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
      }),
    clear() {
      clearTimeout(timer);
      caller?.removeEventListener('abort', cancel);
    },
  };
}
