import type { ServerResponse } from 'node:http';

export interface CallTracker {
  /** Counts the exchange as a call in flight if its body is one. */
  track(body: unknown, res: ServerResponse): void;
  /** Resolves when no call is in flight, at the latest after `graceMs`. */
  settled(graceMs: number): Promise<void>;
}

/** Knows the calls in flight: those are worth waiting for, subscriptions and event streams are not. */
export function createCallTracker(): CallTracker {
  const open = new Set<ServerResponse>();
  let onSettled: (() => void) | undefined;
  return {
    track(body, res) {
      if (!(Array.isArray(body) ? body.some(isCall) : isCall(body))) return;
      open.add(res);
      res.once('close', () => {
        open.delete(res);
        if (open.size === 0) onSettled?.();
      });
    },
    async settled(graceMs) {
      if (open.size === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        onSettled = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}

const isCall = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'method' in message && message.method === 'tools/call';
