import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerContext } from '@modelcontextprotocol/server';
import type { CallRequest } from '../dispatch/outcome.ts';
import { toOneLine } from '../dispatch/one-line.ts';
import { SERVER_LIMITS } from './limits.ts';

const LEFT_OUT = 'Further log lines and progress of this call are left out';
/** How far a report without a number of its own moves progress that a plugin counts itself. */
const NUDGE = 1e-6;

/**
 * How long after its last progress a result is held back. Clients of both SDK lines drop progress that they read together
 * with the result: of 300 calls that report and end at once, most lost some; with this, about one in a hundred does.
 */
const SETTLE_MS = 5;

/** What of a request its notifications need. */
export interface LiveRequest extends Pick<ServerContext['mcpReq'], 'signal' | 'log'> {
  readonly _meta?: { readonly progressToken?: string | number | undefined } | undefined;
  notify(notification: {
    method: 'notifications/progress';
    params: Record<string, unknown> & { progressToken: string | number; progress: number };
  }): Promise<void>;
}

export interface LiveNotifications extends Required<Pick<CallRequest, 'onLog' | 'onProgress'>> {
  /** Nothing is sent after it: progress must stop with the call it belongs to. The result may follow when it resolves. */
  end(): Promise<void>;
}

/**
 * Passes log lines and progress of one call on to its client, on the stream of that call.
 * Progress is sent only for a `progressToken`, and a log line counts as progress too. Whether log lines are sent
 * is the SDK’s decision: before 2026-07-28 by `logging/setLevel`, since then only when the request names a level.
 */
export function createLiveNotifications(request: LiveRequest, logger: () => string): LiveNotifications {
  const token = request._meta?.progressToken;
  const count = createProgressCounter();
  let sent = 0;
  let waiting = 0;
  let ended = false;
  let reportedMs = -SETTLE_MS;

  function post(send: () => Promise<void>): void {
    waiting += 1;
    // A client that has gone away cancels the call; its lost notifications are nobody’s error.
    void send()
      .catch(() => {})
      .finally(() => (waiting -= 1));
  }

  function admit(): boolean {
    if (ended || request.signal.aborted || sent > SERVER_LIMITS.notificationsPerCall) return false;
    if (waiting >= SERVER_LIMITS.notificationsWaiting) return false;
    sent += 1;
    if (sent <= SERVER_LIMITS.notificationsPerCall) return true;
    post(() => request.log('warning', LEFT_OUT, logger()));
    return false;
  }

  function sendProgress(params: { progress: number; total?: number; message?: string }): void {
    if (token === undefined) return;
    reportedMs = performance.now();
    post(() => request.notify({ method: 'notifications/progress', params: { progressToken: token, ...params } }));
  }

  return {
    onLog(line) {
      if (!admit()) return;
      const message = line.message.slice(0, SERVER_LIMITS.messageCharacters);
      post(() => request.log(line.level, message, logger()));
      if (token !== undefined) sendProgress({ ...count.line(), message: toOneLine(message, SERVER_LIMITS.messageCharacters) });
    },
    onProgress(report) {
      if (token === undefined || !admit()) return;
      const counted = count.report(report.progress, report.total);
      if (counted === undefined) return;
      const message = report.message === undefined ? {} : { message: toOneLine(report.message, SERVER_LIMITS.messageCharacters) };
      sendProgress({ ...counted, ...message });
    },
    async end() {
      ended = true;
      const restMs = SETTLE_MS - (performance.now() - reportedMs);
      if (restMs > 0) await sleep(restMs);
    },
  };
}

export interface ProgressCounter {
  /** The next value for something that has no number of its own. */
  line(): { progress: number; total?: number };
  /** The next value for a plugin’s own count; undefined when it is no number or does not move. */
  report(progress: number, total?: number): { progress: number; total?: number } | undefined;
}

/**
 * Numbers that always grow, as the protocol demands (2026-07-28, basic/utilities/progress), from log lines and a plugin’s
 * own counting. Lines count 1, 2, 3; a plugin’s count starts where the lines before it ended.
 */
export function createProgressCounter(): ProgressCounter {
  let last = 0;
  let base: number | undefined;
  let lastTotal: number | undefined;
  const withTotal = (): { progress: number; total?: number } =>
    lastTotal === undefined ? { progress: last } : { progress: last, total: lastTotal };
  return {
    line() {
      last = base === undefined ? last + 1 : last + NUDGE;
      return withTotal();
    },
    report(progress, total) {
      if (!Number.isFinite(progress)) return undefined;
      base ??= last;
      if (base + progress <= last) return undefined;
      last = base + progress;
      lastTotal = total !== undefined && Number.isFinite(total) ? base + total : undefined;
      return withTotal();
    },
  };
}
