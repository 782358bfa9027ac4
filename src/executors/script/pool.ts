import { reasonOf } from '../../errors.ts';
import type { Log } from '../../log.ts';

/** What the pool has to know of a waiting interpreter. */
export interface Spare {
  /** Settles when it is gone; never rejects. */
  readonly gone: Promise<void>;
  isAlive(): boolean;
  kill(): Promise<void>;
}

/** Which calls a spare may serve. */
export interface PoolPlace {
  /** Everything that makes its sandbox, and the digest of what runs in it: a spare serves equal keys only. */
  readonly key: string;
  /** The plugin: its spares of another digest are of no use any more. */
  readonly plugin: string;
  readonly digest: string;
  /** The command, as far as the sandbox depends on it: of one, only spares with the newest key are kept. */
  readonly command: string;
}

export interface PoolOptions<Kind extends Spare> {
  /** Spares at most, over all keys; 0 turns the pool off. */
  readonly maxSpares: number;
  /** Memory that they may take together. */
  readonly maxBytes: number;
  readonly idleMs: number;
  /** Calls at a time that leave the processor free enough to start a spare. */
  readonly maxRunning: number;
  /** The memory that one takes now. */
  measure(spare: Kind): number;
  readonly clock: () => number;
  readonly log: Log;
}

/** Interpreters that wait for the next call of a plugin, each for one call. */
export interface Pool<Kind extends Spare> {
  /** One that waits for exactly this place, if any. Every call says when it begins, and by `leave` when it has answered. */
  enter(place: PoolPlace): Kind | undefined;
  /** A call has answered; `start` makes the spare for the next one. */
  leave(place: PoolPlace, start: () => Promise<Kind>): void;
  readonly waiting: number;
  /** Kills all spares, those that are starting too, and waits until they are gone. */
  close(): Promise<void>;
}

interface Waiting<Kind> extends PoolPlace {
  readonly spare: Kind;
  readonly expiry: NodeJS.Timeout;
}

interface Refill<Kind> extends PoolPlace {
  readonly start: () => Promise<Kind>;
}

interface Starting {
  readonly place: PoolPlace;
  /** A call has come since that no spare of this place will ever follow. */
  isOutdated: boolean;
  done: Promise<void>;
}

/** For so long after two calls of a place have overlapped, two spares are kept for it. */
const OVERLAP_MS = 30_000;
/** An interpreter has loaded what it will by then, and its memory can be told. */
const SETTLE_MS = 200;

/**
 * Bounded by number, memory and idle time; the least recently used spare gives way. A spare is started only after a call
 * of its place has answered and while few calls run, for it would take the processor from them.
 */
export function createPool<Kind extends Spare>(options: PoolOptions<Kind>): Pool<Kind> {
  /** The least recently used first. */
  const waiting: Waiting<Kind>[] = [];
  const refills: Refill<Kind>[] = [];
  const running = new Map<string, number>();
  const overlaps = new Map<string, number>();
  const ending = new Set<Promise<void>>();
  let starting: Starting | undefined;
  let weighing: NodeJS.Timeout | undefined;
  let runningCalls = 0;
  let closed = false;

  const end = ({ spare, expiry }: Waiting<Kind>): void => {
    clearTimeout(expiry);
    const killed = spare.kill().finally(() => ending.delete(killed));
    ending.add(killed);
  };
  const drop = (one: Waiting<Kind>): boolean => {
    const at = waiting.indexOf(one);
    if (at >= 0) waiting.splice(at, 1);
    return at >= 0;
  };
  const endIf = (isUseless: (one: Waiting<Kind>) => boolean): void => {
    for (const one of waiting.filter(isUseless)) {
      drop(one);
      end(one);
    }
  };
  const count = (key: string): number => waiting.filter((one) => one.key === key).length + (starting?.place.key === key ? 1 : 0);
  const wanted = (key: string): number => {
    const overlap = overlaps.get(key);
    return overlap !== undefined && options.clock() - overlap < OVERLAP_MS ? 2 : 1;
  };

  /** One after each burst of starts, for measuring takes longer than a short call. */
  const weigh = (): void => {
    weighing = undefined;
    let bytes = waiting.reduce((sum, { spare }) => sum + options.measure(spare), 0);
    while (bytes > options.maxBytes && waiting[0]) {
      bytes -= options.measure(waiting[0].spare);
      endIf((one) => one === waiting[0]);
    }
  };

  const add = (spare: Kind, place: PoolPlace): void => {
    const expiry = setTimeout(() => endIf((other) => other === one), options.idleMs).unref();
    const one: Waiting<Kind> = { ...place, spare, expiry };
    waiting.push(one);
    void spare.gone.then(() => {
      if (drop(one)) clearTimeout(expiry);
    });
    while (waiting.length > options.maxSpares) endIf((other) => other === waiting[0]);
    weighing ??= setTimeout(weigh, SETTLE_MS).unref();
  };

  const startSpare = async ({ start }: Refill<Kind>, own: Starting): Promise<void> => {
    try {
      const spare = await start();
      if (closed || own.isOutdated) await spare.kill();
      else add(spare, own.place);
    } catch (error) {
      // The next call starts its own and tells why it cannot.
      if (!closed) options.log.warn({ reason: reasonOf(error) }, 'cannot start an interpreter ahead');
    }
    starting = undefined;
    refill();
  };
  const refill = (): void => {
    while (!closed && !starting && runningCalls < options.maxRunning) {
      const next = refills.shift();
      if (!next) return;
      if (count(next.key) >= wanted(next.key)) continue;
      starting = { place: next, isOutdated: false, done: Promise.resolve() };
      starting.done = startSpare(next, starting);
    }
  };

  return {
    get waiting() {
      return waiting.length;
    },
    enter(place) {
      const { key } = place;
      const now = running.get(key) ?? 0;
      runningCalls += 1;
      running.set(key, now + 1);
      if (now > 0) overlaps.set(key, options.clock());
      endIf((one) => isOutdatedBy(one, place));
      keepOnly(refills, (one) => !isOutdatedBy(one, place));
      if (starting && isOutdatedBy(starting.place, place)) starting.isOutdated = true;
      const found = waiting.findLast((one) => one.key === key && one.spare.isAlive());
      if (!found) return undefined;
      drop(found);
      clearTimeout(found.expiry);
      return found.spare;
    },
    leave(place, start) {
      const { key } = place;
      const now = (running.get(key) ?? 1) - 1;
      runningCalls -= 1;
      if (now > 0) running.set(key, now);
      else running.delete(key);
      if (closed || options.maxSpares === 0) return;
      for (const [other, overlap] of overlaps) if (options.clock() - overlap >= OVERLAP_MS) overlaps.delete(other);
      const same = refills.filter((one) => one.key === key).length;
      if (count(key) + same < wanted(key)) {
        // The newest call’s plugin first.
        refills.unshift({ ...place, start });
        refills.length = Math.min(refills.length, options.maxSpares);
      }
      // The answer goes out first.
      setImmediate(refill);
    },
    async close() {
      closed = true;
      clearTimeout(weighing);
      refills.length = 0;
      endIf(() => true);
      await starting?.done;
      await Promise.all(ending);
    },
  };
}

/** Whether a spare of one place is of no use once a call of another has come: the plugin’s files or permissions have changed. */
const isOutdatedBy = (one: PoolPlace, by: PoolPlace): boolean =>
  one.plugin === by.plugin && (one.digest !== by.digest || (one.command === by.command && one.key !== by.key));

function keepOnly<Item>(items: Item[], isKept: (item: Item) => boolean): void {
  items.splice(0, items.length, ...items.filter(isKept));
}
