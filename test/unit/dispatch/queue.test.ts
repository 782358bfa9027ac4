import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createCallQueue, type Admission, type CallQueue, type Place } from '../../../src/dispatch/queue.ts';

const enter = (queue: CallQueue, plugin: string, { concurrency = 16, signal = new AbortController().signal } = {}): Promise<Admission> =>
  Promise.resolve(queue.enter(plugin, { concurrency, signal }));
async function placeIn(queue: CallQueue, plugin: string, concurrency = 16): Promise<Place> {
  const admission = await enter(queue, plugin, { concurrency });
  if (admission.kind !== 'place') throw new Error(admission.kind);
  return admission.place;
}

describe('createCallQueue()', () => {
  test('lets calls in at once up to the bound, and the next when one leaves', async () => {
    const queue = createCallQueue({ maxRunning: 2, maxWaiting: 5 });
    const first = await placeIn(queue, 'a');
    await placeIn(queue, 'b');
    const third = enter(queue, 'c');
    expect([queue.running, queue.waiting]).toEqual([2, 1]);
    first.leave();
    expect((await third).kind).toBe('place');
    expect([queue.running, queue.waiting]).toEqual([2, 0]);
  });

  test('serves first come first', async () => {
    const queue = createCallQueue({ maxRunning: 1, maxWaiting: 5 });
    let place = await placeIn(queue, 'a');
    const served: string[] = [];
    const waiting = ['b', 'a', 'c'].map(async (plugin) => {
      const admission = await enter(queue, plugin);
      served.push(plugin);
      return admission;
    });
    for (const next of waiting) {
      place.leave();
      const admission = await next;
      if (admission.kind === 'place') place = admission.place;
    }
    expect(served).toEqual(['b', 'a', 'c']);
  });

  test('lets others pass a plugin at its own bound', async () => {
    const queue = createCallQueue({ maxRunning: 3, maxWaiting: 5 });
    const first = await placeIn(queue, 'a', 1);
    const second = enter(queue, 'a', { concurrency: 1 });
    const other = await placeIn(queue, 'b');
    expect([queue.running, queue.waiting]).toEqual([2, 1]);
    other.leave();
    expect(queue.waiting).toBe(1);
    first.leave();
    expect((await second).kind).toBe('place');
  });

  test('refuses what finds the queue full, and says which limit', async () => {
    const queue = createCallQueue({ maxRunning: 1, maxWaiting: 1 });
    await placeIn(queue, 'a');
    void enter(queue, 'a');
    expect(await enter(queue, 'b')).toEqual({ kind: 'full', limit: 'limits.queue (1)' });
    expect(await enter(queue, 'a')).toEqual({ kind: 'full', limit: 'limits.queue (1)' });
    expect(await enter(createCallQueue({ maxRunning: 0, maxWaiting: 0 }), 'b')).toEqual({ kind: 'full', limit: 'limits.queue (0)' });
  });

  test.for([
    [2, 1],
    [3, 1],
    [10, 5],
  ] as const)('of %i that may wait lets %i be of one plugin, so that others can wait too', async ([maxWaiting, share]) => {
    const queue = createCallQueue({ maxRunning: 1, maxWaiting });
    const place = await placeIn(queue, 'busy');
    const waiting = Array.from({ length: share }, () => enter(queue, 'busy'));
    expect(await enter(queue, 'busy')).toEqual({ kind: 'full', limit: `one plugin’s half of limits.queue (${share})` });
    void enter(queue, 'other');
    expect(queue.waiting).toBe(share + 1);
    // One that has left the queue makes room for the next of the same plugin.
    place.leave();
    expect((await waiting[0])?.kind).toBe('place');
    void enter(queue, 'busy');
    expect(queue.waiting).toBe(share + 1);
  });

  test('lets a plugin wait alone when the queue is for one', async () => {
    const queue = createCallQueue({ maxRunning: 1, maxWaiting: 1 });
    const place = await placeIn(queue, 'a');
    const next = enter(queue, 'a');
    expect(queue.waiting).toBe(1);
    place.leave();
    expect((await next).kind).toBe('place');
  });

  test('lets a waiting call go when it is cancelled, and keeps the order of the others', async () => {
    const queue = createCallQueue({ maxRunning: 1, maxWaiting: 5 });
    const place = await placeIn(queue, 'a');
    const cancel = new AbortController();
    const before = enter(queue, 'b');
    const cancelled = enter(queue, 'c', { signal: cancel.signal });
    const after = enter(queue, 'd');
    cancel.abort();
    expect(await cancelled).toEqual({ kind: 'cancelled' });
    expect(queue.waiting).toBe(2);
    place.leave();
    const admission = await before;
    if (admission.kind === 'place') admission.place.leave();
    expect((await after).kind).toBe('place');
  });

  test('takes no place for a call that was cancelled before', async () => {
    const queue = createCallQueue({ maxRunning: 1, maxWaiting: 5 });
    expect(await enter(queue, 'a', { signal: AbortSignal.abort() })).toEqual({ kind: 'cancelled' });
    expect(queue.running).toBe(0);
  });

  test('frees a place once, however often it is left, and not by cancelling later', async () => {
    const queue = createCallQueue({ maxRunning: 2, maxWaiting: 5 });
    const cancel = new AbortController();
    const full = await placeIn(queue, 'a');
    await placeIn(queue, 'a');
    const waited = enter(queue, 'b', { signal: cancel.signal });
    full.leave();
    full.leave();
    expect((await waited).kind).toBe('place');
    expect(queue.running).toBe(2);
    const last = enter(queue, 'c');
    cancel.abort();
    expect([queue.running, queue.waiting]).toEqual([2, 1]);
    expect(await Promise.race([last, Promise.resolve('waits')])).toBe('waits');
  });

  test('never exceeds a bound and ends empty, whatever comes in whatever order', async () => {
    const step = fc.record({ plugin: fc.constantFrom('a', 'b', 'c'), leave: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const queue = createCallQueue({ maxRunning: 4, maxWaiting: 10 });
        const places: { plugin: string; place: Place }[] = [];
        const pending: Promise<void>[] = [];
        for (const { plugin, leave } of steps) {
          const admission = enter(queue, plugin, { concurrency: 2 }).then((one) => {
            if (one.kind === 'place') places.push({ plugin, place: one.place });
          });
          pending.push(admission);
          await new Promise(setImmediate);
          if (leave) places.shift()?.place.leave();
          await new Promise(setImmediate);
          expect(queue.running).toBe(places.length);
          expect(queue.running).toBeLessThanOrEqual(4);
          for (const name of ['a', 'b', 'c']) expect(places.filter((one) => one.plugin === name).length).toBeLessThanOrEqual(2);
        }
        while (queue.running > 0) {
          places.shift()?.place.leave();
          await new Promise(setImmediate);
        }
        await Promise.all(pending);
        expect([queue.running, queue.waiting]).toEqual([0, 0]);
      }),
      { numRuns: 25 },
    );
  });
});
