/** What is done several at a time: all of it, or nothing new after a failure. */
import { expect, it } from '@jest/globals';
import { atOnce } from './at-once.ts';

it('does everything, and never more at a time than it may', async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;
  await atOnce([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running -= 1;
    done.push(item);
  });
  expect([done.toSorted(), most]).toEqual([[1, 2, 3, 4, 5], 2]);
});

it('begins nothing after a failure, and rejects with it when what was begun is done', async () => {
  const done: number[] = [];
  let finish = () => {};
  const slow = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const all = atOnce([1, 2, 3, 4], 2, async (item) => {
    if (item === 1) throw new Error('refused');
    await slow;
    done.push(item);
  });
  finish();
  await expect(all).rejects.toThrow('refused');
  expect(done).toEqual([2]);
});
