import { expect, test } from 'vitest';

import { createTurns } from '../../../src/authoring/turns.ts';

test('createTurns() lets work on one thing follow upon another, and other things go on', async () => {
  const inTurn = createTurns();
  const order: string[] = [];
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const first = inTurn('a', async () => {
    await held;
    order.push('first');
    throw new Error('broken');
  });
  const second = inTurn('a', async () => void order.push('second'));
  await inTurn('b', async () => void order.push('other'));
  release();
  await expect(first).rejects.toThrow('broken');
  await second;
  expect(order).toEqual(['other', 'first', 'second']);
});
