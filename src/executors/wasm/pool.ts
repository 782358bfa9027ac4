import { reasonOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { connectHost, type Host } from './host.ts';
import type { SandboxedProcess } from '../sandbox/sandbox.ts';

interface HostPoolOptions {
  spawn(): Promise<SandboxedProcess>;
  /** Hosts that are kept ready: one per core and a spare (sandbox.md §E). */
  readonly size: number;
  /** Hosts at most; the extra ones are started when every host is busy and another plugin’s call waits. */
  readonly maxSize: number;
  readonly log: Log;
}

/** Host processes, lent to one call at a time. */
export interface HostPool {
  /**
   * Lends a host for a module, one that has it compiled if such a one is idle. Rejects when no host can be started.
   * Aborting the signal takes the request out of the queue and rejects.
   */
  acquire(digest: string, signal: AbortSignal): Promise<Host>;
  /** Gives a host back; a dead one is replaced. */
  release(host: Host): void;
  warm(): void;
  close(): Promise<void>;
}

interface Waiting {
  readonly digest: string;
  readonly settle: (host: Host) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Bounded pool in which one plugin’s calls never wait for another plugin’s: a plugin may hold `size` hosts, and when
 * all hosts are busy a plugin that holds none gets a new one.
 */
export function createHostPool(options: HostPoolOptions): HostPool {
  const idle: Host[] = [];
  const busy = new Map<Host, string>();
  const waiting: Waiting[] = [];
  let starting = 0;
  let closed = false;

  const total = (): number => idle.length + busy.size + starting;
  const heldBy = (digest: string): number => {
    let held = 0;
    for (const holder of busy.values()) if (holder === digest) held++;
    return held;
  };

  const start = (): void => {
    starting++;
    options
      .spawn()
      .then(async (process) => {
        const host = connectHost(process);
        await host.ready;
        starting--;
        if (!host.isAlive()) throw new Error('the host process ended before it was ready');
        if (closed) return void host.kill('the server closes');
        void host.gone.then(() => {
          const at = idle.indexOf(host);
          if (at < 0) return;
          idle.splice(at, 1);
          refill();
        });
        idle.push(host);
        serve();
      })
      .catch((error: unknown) => {
        starting = Math.max(0, starting - 1);
        options.log.error({ reason: reasonOf(error) }, 'cannot start a WASM host process');
        // Only those that no other host can serve any more; a healthy pool keeps its queue.
        if (total() === 0) for (const request of waiting.splice(0)) request.fail(error);
      });
  };

  const refill = (): void => {
    if (closed) return;
    while (total() < options.size) start();
  };

  const lend = (request: Waiting, host: Host): void => {
    idle.splice(idle.indexOf(host), 1);
    busy.set(host, request.digest);
    request.settle(host);
  };

  const serve = (): void => {
    for (let i = 0; i < waiting.length && idle.length > 0;) {
      const request = waiting[i];
      if (!request || (heldBy(request.digest) >= options.size && waiting.some((other) => other.digest !== request.digest))) {
        i++;
        continue;
      }
      const host = pick(request.digest);
      if (!host) return;
      waiting.splice(i, 1);
      lend(request, host);
    }
    for (const request of waiting) {
      if (starting > 0 || total() >= options.maxSize) return;
      if (total() < options.size || heldBy(request.digest) === 0) start();
    }
  };

  const pick = (digest: string): Host | undefined => {
    let newest: Host | undefined;
    for (const host of idle) {
      if (!host.isAlive()) continue;
      if (host.has(digest)) return host;
      newest = host;
    }
    return newest;
  };

  return {
    acquire: (digest, signal) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error('the server closes'));
        const onAbort = (): void => {
          const at = waiting.indexOf(request);
          if (at >= 0) waiting.splice(at, 1);
          reject(new Error('cancelled while waiting'));
        };
        const request: Waiting = {
          digest,
          settle: (host) => {
            signal.removeEventListener('abort', onAbort);
            resolve(host);
          },
          fail: (error) => {
            signal.removeEventListener('abort', onAbort);
            reject(error instanceof Error ? error : new Error(String(error)));
          },
        };
        if (signal.aborted) return reject(new Error('cancelled while waiting'));
        const host = waiting.length === 0 ? pick(digest) : undefined;
        if (host) return lend(request, host);
        signal.addEventListener('abort', onAbort, { once: true });
        waiting.push(request);
        serve();
      }),
    release(host) {
      busy.delete(host);
      if (host.isAlive() && !closed) {
        if (total() >= options.size && waiting.length === 0) void host.kill('no longer needed');
        else idle.push(host);
      }
      refill();
      serve();
    },
    warm: refill,
    async close() {
      closed = true;
      for (const request of waiting.splice(0)) request.fail(new Error('the server closes'));
      const hosts = [...idle.splice(0), ...busy.keys()];
      await Promise.all(hosts.map(async (host) => host.kill('the server closes')));
      await Promise.all(hosts.map(async (host) => host.gone));
    },
  };
}
