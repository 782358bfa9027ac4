import { pino } from 'pino';
import { describe, onTestFinished, test, vi } from 'vitest';

import { createPool, type Pool, type PoolOptions, type PoolPlace, type Spare } from '../../../../src/executors/script/pool.ts';

interface FakeSpare extends Spare {
  readonly name: string;
  /** As if it died by itself. */
  die(): void;
  bytes: number;
}

/** A pool whose spares are only bookkeeping; `alive` lists those that live. */
function usePool(over: Partial<PoolOptions<FakeSpare>> = {}) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const alive = new Set<string>();
  let count = 0;
  const make = (prefix: string, bytes = 1): FakeSpare => {
    count += 1;
    const name = `${prefix}#${count}`;
    alive.add(name);
    let settle = (): void => {};
    const gone = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const die = (): void => {
      alive.delete(name);
      settle();
    };
    return {
      name,
      bytes,
      gone,
      die,
      isAlive: () => alive.has(name),
      kill: () => {
        die();
        return gone;
      },
    };
  };
  const pool = createPool<FakeSpare>({
    maxSpares: 4,
    maxBytes: 100,
    idleMs: 60_000,
    maxRunning: 2,
    measure: ({ bytes }) => bytes,
    clock: () => Date.now(),
    log: pino({ level: 'silent' }),
    ...over,
  });
  onTestFinished(() => pool.close());
  /** A call of a place, from its begin to its answer; returns the spare it got. */
  const call = async (place: PoolPlace, bytes = 1): Promise<FakeSpare | undefined> => {
    const spare = pool.enter(place);
    pool.leave(place, () => Promise.resolve(make(place.key, bytes)));
    await settle();
    return spare;
  };
  return { pool, call, make, alive: () => [...alive] };
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const at = (key: string, over: Partial<PoolPlace> = {}): PoolPlace => ({ key, plugin: key, digest: 'd', command: 'run', ...over });
const leave = (pool: Pool<FakeSpare>, place: PoolPlace, make: () => FakeSpare): void => pool.leave(place, () => Promise.resolve(make()));

describe('createPool()', () => {
  test('starts a spare after a call has answered, for the next of the same key only', async ({ expect }) => {
    const { pool, call, alive } = usePool();
    expect(await call(at('a'))).toBeUndefined();
    expect(alive()).toEqual(['a#1']);
    expect(pool.enter(at('b'))).toBeUndefined();
    expect(pool.enter(at('a'))?.name).toBe('a#1');
    expect(pool.waiting).toBe(0);
  });

  test('starts nothing while as many calls run as there are processors', async ({ expect }) => {
    const { pool, make, alive } = usePool();
    pool.enter(at('a'));
    pool.enter(at('b'));
    pool.enter(at('c'));
    leave(pool, at('a'), () => make('a'));
    await settle();
    expect(alive()).toEqual([]);
    leave(pool, at('b'), () => make('b'));
    await settle();
    // The newest first.
    expect(alive()).toEqual(['b#1', 'a#2']);
  });

  test('keeps two for a key whose calls have overlapped, and one again later', async ({ expect }) => {
    const { pool, call, make, alive } = usePool({ maxRunning: 8 });
    pool.enter(at('a'));
    pool.enter(at('a'));
    leave(pool, at('a'), () => make('a'));
    leave(pool, at('a'), () => make('a'));
    await settle();
    expect(alive()).toHaveLength(2);
    await call(at('a'));
    expect(pool.waiting).toBe(2);
    await vi.advanceTimersByTimeAsync(31_000);
    await call(at('a'));
    await call(at('a'));
    expect(pool.waiting).toBe(1);
  });

  test('ends the least recently used beyond the number', async ({ expect }) => {
    const { call, alive } = usePool({ maxSpares: 2 });
    await call(at('a'));
    await call(at('b'));
    await call(at('a'));
    await call(at('c'));
    expect(alive().map((name) => name[0])).toEqual(expect.arrayContaining(['a', 'c']));
    expect(alive().filter((name) => name.startsWith('b'))).toEqual([]);
  });

  test('ends the least recently used beyond the memory, also when they grow after their start', async ({ expect }) => {
    const { pool, call, alive } = usePool({ maxBytes: 10 });
    await call(at('a'), 6);
    await call(at('b'), 4);
    expect(pool.waiting).toBe(2);
    await call(at('c'), 5);
    await vi.advanceTimersByTimeAsync(200);
    expect(alive().map((name) => name[0])).toEqual(['b', 'c']);
    const { pool: second, make } = usePool({ maxBytes: 10 });
    const grows = make('grows');
    second.enter(at('grows'));
    leave(second, at('grows'), () => grows);
    await settle();
    grows.bytes = 11;
    await vi.advanceTimersByTimeAsync(200);
    expect(grows.isAlive()).toBe(false);
    expect(second.waiting).toBe(0);
  });

  test('ends a spare that nobody called, and forgets one that died', async ({ expect }) => {
    const { pool, call, make, alive } = usePool();
    await call(at('a'));
    await vi.advanceTimersByTimeAsync(59_999);
    expect(pool.waiting).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(alive()).toEqual([]);
    expect(pool.waiting).toBe(0);
    const dies = make('b');
    pool.enter(at('b'));
    leave(pool, at('b'), () => dies);
    await settle();
    dies.die();
    await settle();
    expect(pool.waiting).toBe(0);
    expect(pool.enter(at('b'))).toBeUndefined();
  });

  test('ends spares of another digest, and of other permissions of the same command', async ({ expect }) => {
    const { call, alive } = usePool();
    await call(at('one', { plugin: 'p', command: 'read' }));
    await call(at('two', { plugin: 'p', command: 'write' }));
    expect(alive()).toEqual(['one#1', 'two#2']);
    await call(at('three', { plugin: 'p', command: 'write' }));
    expect(alive()).toEqual(['one#1', 'three#3']);
    await call(at('four', { plugin: 'p', command: 'read', digest: 'new' }));
    expect(alive()).toEqual(['four#4']);
  });

  test('ends a spare that became useless while it started', async ({ expect }) => {
    const { pool, make, alive } = usePool();
    let started: ((spare: FakeSpare) => void) | undefined;
    pool.enter(at('old', { plugin: 'p' }));
    pool.leave(
      at('old', { plugin: 'p' }),
      () =>
        new Promise((resolve) => {
          started = resolve;
        }),
    );
    await settle();
    pool.enter(at('new', { plugin: 'p', digest: 'new' }));
    started?.(make('old'));
    await settle();
    expect(alive()).toEqual([]);
    expect(pool.waiting).toBe(0);
  });

  test('goes on when a spare cannot be started', async ({ expect }) => {
    const { pool, call, alive } = usePool();
    pool.enter(at('a'));
    pool.leave(at('a'), () => Promise.reject(new Error('no room')));
    await settle();
    await call(at('b'));
    expect(alive()).toEqual(['b#1']);
  });

  test('starts nothing when it is turned off', async ({ expect }) => {
    const { call, alive } = usePool({ maxSpares: 0 });
    await call(at('a'));
    expect(await call(at('a'))).toBeUndefined();
    expect(alive()).toEqual([]);
  });

  test('close() ends what waits and what is starting, and nothing comes after', async ({ expect }) => {
    const { pool, call, make, alive } = usePool();
    await call(at('a'));
    let started: ((spare: FakeSpare) => void) | undefined;
    pool.enter(at('b'));
    pool.leave(
      at('b'),
      () =>
        new Promise((resolve) => {
          started = resolve;
        }),
    );
    await settle();
    const closed = pool.close();
    started?.(make('b'));
    await closed;
    expect(alive()).toEqual([]);
    await call(at('c'));
    expect(alive()).toEqual([]);
  });
});
