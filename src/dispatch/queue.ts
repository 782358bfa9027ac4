export interface QueueLimits {
  /** Calls that run at a time, over all plugins. */
  readonly maxRunning: number;
  /** Calls that may wait, over all plugins; half of them, at least one, of one plugin. */
  readonly maxWaiting: number;
}

/** A place among the running calls; `leave` must be called once. */
export interface Place {
  leave(): void;
}

export type Admission =
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'full'; readonly limit: string }
  | { readonly kind: 'cancelled' };

export interface CallQueue {
  /** Lets a call in at once, later, or not at all. `concurrency` bounds the calls of this plugin. */
  enter(plugin: string, options: { readonly concurrency: number; readonly signal: AbortSignal }): Admission | Promise<Admission>;
  readonly running: number;
  readonly waiting: number;
}

interface Waiting {
  readonly plugin: string;
  readonly concurrency: number;
  readonly admit: (admission: Admission) => void;
}

/** First come, first served, except that a plugin at its own bound lets the others pass. */
export function createCallQueue(limits: QueueLimits): CallQueue {
  const runningByPlugin = new Map<string, number>();
  const waiting: Waiting[] = [];
  // A busy plugin must leave the others room to wait in.
  const maxWaitingEach = Math.max(1, Math.floor(limits.maxWaiting / 2));
  let running = 0;

  const hasRoom = (plugin: string, concurrency: number): boolean =>
    running < limits.maxRunning && (runningByPlugin.get(plugin) ?? 0) < concurrency;

  const takePlace = (plugin: string): Place => {
    running++;
    runningByPlugin.set(plugin, (runningByPlugin.get(plugin) ?? 0) + 1);
    let left = false;
    return {
      leave() {
        if (left) return;
        left = true;
        running--;
        const count = (runningByPlugin.get(plugin) ?? 1) - 1;
        if (count === 0) runningByPlugin.delete(plugin);
        else runningByPlugin.set(plugin, count);
        admitNext();
      },
    };
  };

  const admitNext = (): void => {
    for (let i = 0; i < waiting.length && running < limits.maxRunning;) {
      const next = waiting[i];
      if (!next || !hasRoom(next.plugin, next.concurrency)) {
        i++;
        continue;
      }
      waiting.splice(i, 1);
      next.admit({ kind: 'place', place: takePlace(next.plugin) });
    }
  };

  return {
    get running() {
      return running;
    },
    get waiting() {
      return waiting.length;
    },
    enter(plugin, { concurrency, signal }) {
      if (signal.aborted) return { kind: 'cancelled' };
      if (hasRoom(plugin, concurrency)) return { kind: 'place', place: takePlace(plugin) };
      if (waiting.length >= limits.maxWaiting) return { kind: 'full', limit: `limits.queue (${limits.maxWaiting})` };
      if (waiting.filter((one) => one.plugin === plugin).length >= maxWaitingEach) {
        return { kind: 'full', limit: `one plugin’s half of limits.queue (${maxWaitingEach})` };
      }
      return new Promise((resolve) => {
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(request), 1);
          resolve({ kind: 'cancelled' });
        };
        const request: Waiting = {
          plugin,
          concurrency,
          admit: (admission) => {
            signal.removeEventListener('abort', onAbort);
            resolve(admission);
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiting.push(request);
      });
    },
  };
}
