import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { ActiveSketch } from './active-sketch.ts';
import { type DayFigures, DELAY_STEPS_MS, dayOf, foldDays, readDays, saltOf, writeDay } from './day-figures.ts';
import { openMemoryStore } from './memory.ts';

const { sha256 } = nodeCrypto();
const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 29, 12);
const sketchOf = (from: number, to: number) => {
  const sketch = new ActiveSketch();
  for (let i = from; i < to; i++) sketch.add(sha256(new TextEncoder().encode(`salt device ${i}`)));
  return sketch;
};
const figures = (messages: number, step = 0): DayFigures => ({
  messages,
  deliveries: 2 * messages,
  errors: 1,
  delays: Array.from({ length: DELAY_STEPS_MS.length + 1 }, (_, i) => (i === step ? messages : 0)),
});

describe('a count of different things', () => {
  it.each([0, 1, 5, 100, 1_000, 50_000])('of %i is right within five in a hundred', (count) => {
    expect(Math.abs(sketchOf(0, count).count() - count)).toBeLessThanOrEqual(0.05 * count);
  });

  it('of two nodes counts once what both saw', () => {
    const both = sketchOf(0, 600);
    both.merge(ActiveSketch.of(sketchOf(400, 1_000).toText()));
    expect(Math.abs(both.count() - 1_000)).toBeLessThanOrEqual(50);
  });
});

describe('figures of days', () => {
  it('add up over processes; what one writes again replaces what it wrote', async () => {
    const store = openMemoryStore();
    const today = dayOf(NOW);
    await writeDay(store, today, 'a', figures(10), sketchOf(0, 10));
    for (let i = 0; i < 2; i++) await writeDay(store, today, 'a', figures(98), sketchOf(0, 20));
    await writeDay(store, today, 'b', figures(2, 5), sketchOf(10, 30));
    const [day, ...more] = await readDays(store, NOW, 30);
    expect(more).toEqual([]);
    expect(day).toMatchObject({
      day: '2026-11-29',
      messages: 100,
      deliveries: 200,
      errors: 2,
      delayMs: { p50: 1, p99: 50 },
    });
    expect(Math.abs(day!.activeDevices! - 30)).toBeLessThanOrEqual(1);
  });

  it('T201: two days later there is a number: no sketch, no salt, nothing by process; and few are not counted', async () => {
    const store = openMemoryStore();
    const day = dayOf(NOW);
    const salt = await saltOf(store, day, 'first');
    expect(await saltOf(store, day, 'second')).toBe(salt);
    await writeDay(store, day, 'a', figures(3), sketchOf(0, 4));
    await writeDay(store, day, 'b', figures(4), sketchOf(0, 4));
    const before = await readDays(store, NOW, 30);
    expect(before[0]).toMatchObject({ activeDevices: null, messages: 7 });
    await foldDays(store, NOW + DAY_MS);
    expect(await store.operatorRecords.list('day', '', 10)).toHaveLength(3);
    for (let i = 0; i < 2; i++) await foldDays(store, NOW + 2 * DAY_MS);
    const left = await store.operatorRecords.list('day', '', 10);
    expect(left.map(({ key }) => key)).toEqual([`${day} sum`]);
    expect(JSON.stringify(left)).not.toContain('sketch');
    expect(JSON.stringify(left)).not.toContain(salt);
    expect(await readDays(store, NOW + 2 * DAY_MS, 30)).toEqual(before);
    await foldDays(store, NOW + 500 * DAY_MS);
    expect(await store.operatorRecords.list('day', '', 10)).toEqual([]);
  });
});
