/** What every adapter of counters must keep. A suite: each adapter's test file calls it. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Charge, Counters } from './counters.ts';

export interface CountersUnderTest {
  readonly one: Counters;
  /** Another process'; of those that count alone: the same. */
  readonly other: Counters;
  /** Windows that run become so much older. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

const MINUTE = 60_000;

export function countersContract(name: string, open: () => Promise<CountersUnderTest>): void {
  describe(`counters contract: ${name}`, () => {
    let under: CountersUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under.close());
    const charge = (key: string, points: number, limit: number, counter = 'test'): Charge => ({
      counter,
      key,
      points,
      limit,
      windowMs: MINUTE,
    });
    const isTaken = async (slot: string, charges: readonly Charge[]) =>
      (await under.one.take(slot, charges)).refusedAt === undefined;

    it('allow the limit in a window, each key for itself, and say when the window ends', async () => {
      const first = await under.one.take('a', [charge('a', 2, 3)]);
      expect(first.refusedAt).toBeUndefined();
      expect(first.standings[0]!.taken).toBe(2);
      await under.pass(20_000);
      const refused = await under.other.take('a', [charge('a', 2, 3)]);
      expect(refused.refusedAt).toBe(0);
      expect(refused.standings[0]!.taken).toBe(2);
      expect(refused.standings[0]!.leftMs).toBeGreaterThan(35_000);
      expect(refused.standings[0]!.leftMs).toBeLessThanOrEqual(40_000);
      expect(await isTaken('b', [charge('b', 3, 3)])).toBe(true);
      await under.pass(MINUTE);
      expect(await isTaken('a', [charge('a', 3, 3)])).toBe(true);
    });

    it('that two processes share allow the limit once, however many ask at the same time', async () => {
      const asked = Array.from({ length: 40 }, (_, i) =>
        (i % 2 ? under.one : under.other).take('a', [charge('a', 1, 10)]),
      );
      const taken = (await Promise.all(asked)).filter(({ refusedAt }) => refusedAt === undefined);
      expect(taken).toHaveLength(10);
    });

    it('take what is charged together or nothing of it', async () => {
      await under.one.take('a', [charge('narrow', 1, 1)]);
      const both = await under.other.take('a', [charge('wide', 1, 9), charge('narrow', 1, 1)]);
      expect(both.refusedAt).toBe(1);
      expect(both.standings.map(({ taken }) => taken)).toEqual([0, 1]);
    });

    it('keep a reserve for those who had nothing of it yet', async () => {
      const ask = (who: string) => [
        charge(who, 1, Number.POSITIVE_INFINITY, 'share'),
        { ...charge('all', 1, 4, 'target'), reserve: { points: 2, untakenAt: 0 } },
      ];
      const asked = ['a', 'a', 'a', 'b', 'b', 'c', 'd'];
      const answers: boolean[] = [];
      for (const who of asked) answers.push(await isTaken('t', ask(who)));
      expect(answers).toEqual([true, true, false, true, false, true, false]);
    });

    it('look, and take nothing', async () => {
      for (let i = 0; i < 3; i++) expect((await under.one.look('a', [charge('a', 1, 1)])).refusedAt).toBeUndefined();
      await under.one.take('a', [charge('a', 1, 1)]);
      expect((await under.other.look('a', [charge('a', 1, 1)])).refusedAt).toBe(0);
    });

    it('I08: what is given back was never taken, and never becomes more than the limit', async () => {
      await under.one.take('a', [charge('a', 2, 2)]);
      await under.other.giveBack('a', [charge('a', 1, 2)]);
      expect(await isTaken('a', [charge('a', 2, 2)])).toBe(false);
      for (let i = 0; i < 3; i++) await under.other.giveBack('a', [charge('a', 1, 2)]);
      expect([await isTaken('a', [charge('a', 2, 2)]), await isTaken('a', [charge('a', 1, 2)])]).toEqual([true, false]);
      // Of a window that has ended nothing comes back into the next one.
      await under.pass(MINUTE);
      await under.one.giveBack('a', [charge('a', 1, 2)]);
      expect(await isTaken('a', [charge('a', 3, 2)])).toBe(false);
    });

    it('take keys of any text: braces, spaces, line ends, letters of all scripts', async () => {
      for (const text of ['}', '{', '{}', 'a}b{c', 'sip:é@x;gr=1\nc25519', ' '])
        expect((await under.one.take(text, [charge(text, 1, 1), charge(text, 1, 1, 'second')])).refusedAt).toBe(
          undefined,
        );
    });
  });
}
