import { reasonOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { connectHost, type Host } from './host.ts';
import type { SandboxedProcess } from '../sandbox/sandbox.ts';

interface HostPoolOptions {
  spawn(): Promise<SandboxedProcess>;
  /** Hosts that are kept ready: one per core and a spare (sandbox.md §E). */
  readonly size: number;
  /** Hosts at most; those beyond `size` are only for plugins that hold none. */
  readonly maxSize: number;
  /** How long a host may take to get ready. */
  readonly startMs?: number;
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
  /** Kills all hosts and waits until they are gone, those that are starting too. */
  close(): Promise<void>;
}

interface Waiting {
  readonly digest: string;
  readonly settle: (host: Host) => void;
  readonly fail: (error: unknown) => void;
}

const START_MS = 10_000;

/**
 * Bounded pool in which one plugin’s calls hardly wait for another plugin’s: together they share `size` hosts, and when
 * all of these are busy a plugin that holds none gets a further one.
 */
export function createHostPool(options: HostPoolOptions): HostPool {
  const idle: Host[] = [];
  const busy = new Map<Host, string>();
  const waiting: Waiting[] = [];
  const starting = new Set<Promise<Host>>();
  /** Hosts that have been lent; one that dies without is not replaced unasked, for the next would die as well. */
  const proven = new WeakSet<Host>();
  let closed = false;

  const total = (): number => idle.length + busy.size + starting.size;
  const holdsNone = (digest: string): boolean => {
    for (const holder of busy.values()) if (holder === digest) return false;
    return true;
  };
  const mayTake = ({ digest }: Waiting): boolean => busy.size < options.size || holdsNone(digest);

  const start = (): void => {
    const begun = startHost(options);
    starting.add(begun);
    begun.then(
      (host) => {
        starting.delete(begun);
        if (closed) return void host.kill('the server closes');
        void host.gone.then(() => forget(host));
        idle.push(host);
        serve();
      },
      (error: unknown) => {
        starting.delete(begun);
        // One that was killed while it started, because the pool closes, is no fault.
        if (!closed) options.log.error({ reason: reasonOf(error) }, 'cannot start a WASM host process');
        // Only those that no other host can serve any more; a healthy pool keeps its queue.
        if (total() === 0) for (const request of waiting.splice(0)) request.fail(error);
      },
    );
  };

  /** An idle host has died by itself. */
  const forget = (host: Host): void => {
    const at = idle.indexOf(host);
    if (at < 0) return;
    idle.splice(at, 1);
    if (proven.has(host)) refill();
  };

  const refill = (): void => {
    if (closed) return;
    while (total() < options.size) start();
  };

  const lend = (request: Waiting, host: Host): void => {
    idle.splice(idle.indexOf(host), 1);
    busy.set(host, request.digest);
    proven.add(host);
    request.settle(host);
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

  const serve = (): void => {
    for (;;) {
      // A plugin that holds none goes first, so that a crowd of calls cannot keep it waiting.
      const request = waiting.find(({ digest }) => holdsNone(digest)) ?? waiting.find(mayTake);
      if (!request) break;
      const host = pick(request.digest);
      if (!host) return startWanted();
      waiting.splice(waiting.indexOf(request), 1);
      lend(request, host);
    }
    trim();
  };

  const startWanted = (): void => {
    const empty = new Set(waiting.filter(({ digest }) => holdsNone(digest)).map(({ digest }) => digest));
    const wanted = Math.min(waiting.length, Math.max(empty.size, options.size - busy.size));
    while (!closed && starting.size < wanted && total() < options.maxSize) start();
  };

  /** Ends what the crowd has left; while somebody waits, one is kept for the next plugin that comes. */
  const trim = (): void => {
    while (total() > options.size && idle.length > (waiting.length > 0 ? 1 : 0)) void idle.pop()?.kill('no longer needed');
  };

  return {
    acquire: (digest, signal) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error('the server closes'));
        if (signal.aborted) return reject(new Error('cancelled while waiting'));
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
        const host = waiting.length === 0 && mayTake(request) ? pick(digest) : undefined;
        if (host) return lend(request, host);
        signal.addEventListener('abort', onAbort, { once: true });
        waiting.push(request);
        serve();
      }),
    release(host) {
      busy.delete(host);
      if (host.isAlive() && !closed) idle.push(host);
      serve();
      refill();
    },
    warm: refill,
    async close() {
      closed = true;
      for (const request of waiting.splice(0)) request.fail(new Error('the server closes'));
      const hosts = [...idle.splice(0), ...busy.keys()];
      const late = [...starting].map(async (begun) => (await begun).gone);
      await Promise.allSettled([...hosts.map(async (host) => host.kill('the server closes')), ...hosts.map(({ gone }) => gone), ...late]);
    },
  };
}

/** Starts a host process and waits until it is ready; rejects when that fails or takes too long. */
async function startHost({ spawn, startMs = START_MS }: HostPoolOptions): Promise<Host> {
  const host = connectHost(await spawn());
  const limit = setTimeout(() => void host.kill(`it was not ready within ${startMs} ms`), startMs);
  await host.ready;
  clearTimeout(limit);
  if (!host.isAlive()) throw new Error(await host.gone);
  return host;
}
