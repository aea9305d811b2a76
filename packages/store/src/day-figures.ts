/**
 * Figures of days, for administrators: of the whole installation, never of an account (docs/adr/0063-administration.md). Each process writes
 * what it counted under a name of its own, as sums from its start or the begin of the day, so that a repeat counts nothing twice; a day that
 * is over becomes one record.
 *
 * Active devices are counted by sketches: of each device a hash under a salt of the day sets one of some small numbers. Sketches of several
 * nodes give the count of all, and two days later sketch and salt are gone: what stays is a number.
 */
import { ActiveSketch } from './active-sketch.ts';
import { type OperatorRecord, type Store, StoreError } from './port.ts';

type Records = Pick<Store, 'operatorRecords'>;

const DAY_MS = 86_400_000;
const MOST = 20_000;
/** As long as `stats` looks back. */
const KEPT_DAYS = 400;
/** Fewer are not told: a count of one is somebody. */
const FEWEST = 5;
const SALT = 'salt';
const SUM = 'sum';

/** Upper ends in ms of what delays are sorted into; the last is for all above. */
export const DELAY_STEPS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 30_000] as const;

export interface DayFigures {
  readonly messages: number;
  readonly deliveries: number;
  readonly errors: number;
  /** By `DELAY_STEPS_MS`, one more for the rest. */
  readonly delays: readonly number[];
}

interface Stored extends DayFigures {
  /** Base64; of a day that is not over. */
  readonly sketch?: string;
  /** Of one that is. */
  readonly active?: number;
}

export interface DayAnswer extends Omit<DayFigures, 'delays'> {
  /** `2026-11-29`, UTC. */
  readonly day: string;
  /** Null: fewer than five. */
  readonly activeDevices: number | null;
  /** Upper ends; null: nothing was delivered, or later than the last step. */
  readonly delayMs: { readonly p50: number | null; readonly p99: number | null };
}

export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** By which devices are hashed on this day, made by whoever comes first. */
export async function saltOf({ operatorRecords }: Records, day: string, fresh: string): Promise<string> {
  const key = `${day} ${SALT}`;
  const [known] = await operatorRecords.read('day', [key]);
  if (known) return known.text;
  try {
    await operatorRecords.replace('day', 0, { key, version: 1, text: fresh });
    return fresh;
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind !== 'conflict') throw error;
    return saltOf({ operatorRecords }, day, fresh);
  }
}

/** What the process `run` counted on `day` so far, in the place of what it wrote before. */
export async function writeDay(
  { operatorRecords }: Records,
  day: string,
  run: string,
  figures: DayFigures,
  sketch: ActiveSketch,
): Promise<void> {
  const key = `${day} ${run}`;
  const [known] = await operatorRecords.read('day', [key]);
  const version = known?.version ?? 0;
  const text = JSON.stringify({ ...figures, sketch: sketch.toText() } satisfies Stored);
  if (known?.text !== text) await operatorRecords.replace('day', version, { key, version: version + 1, text });
}

/** The last `days` days that have figures, oldest first. */
export async function readDays({ operatorRecords }: Records, now: number, days: number): Promise<DayAnswer[]> {
  const records = await operatorRecords.list('day', dayOf(now - days * DAY_MS), MOST);
  const first = dayOf(now - (days - 1) * DAY_MS);
  return [...byDay(records)].filter(([day]) => day >= first).map(([day, some]) => answerOf(day, sumOf(some)));
}

/** Days that were over two days ago become one record each; those of long ago go. May run on several nodes at once. */
export async function foldDays({ operatorRecords }: Records, now: number): Promise<void> {
  const records = await operatorRecords.list('day', '', MOST);
  const [oldest, open] = [dayOf(now - KEPT_DAYS * DAY_MS), dayOf(now - DAY_MS)];
  for (const [day, some] of byDay(records)) {
    if (day >= open) continue;
    const key = `${day} ${SUM}`;
    if (day >= oldest && !some.some((one) => one.key === key)) {
      const text = JSON.stringify(sumOf(some));
      // Another node that was faster has summed up the same.
      await operatorRecords.replace('day', 0, { key, version: 1, text }).catch((error: unknown) => {
        if (!(error instanceof StoreError) || error.kind !== 'conflict') throw error;
      });
    }
    for (const one of some) if (one.key !== key || day < oldest) await operatorRecords.remove('day', one.key);
  }
}

function byDay(records: readonly OperatorRecord[]): Map<string, OperatorRecord[]> {
  const days = new Map<string, OperatorRecord[]>();
  for (const record of records) {
    const [day = ''] = record.key.split(' ');
    days.set(day, [...(days.get(day) ?? []), record]);
  }
  return days;
}

/** A sum that is there counts alone: of what it was made there may be leftovers. */
function sumOf(records: readonly OperatorRecord[]): Stored {
  const whole = records.find(({ key }) => key.endsWith(` ${SUM}`));
  if (whole) return JSON.parse(whole.text) as Stored;
  const sketch = new ActiveSketch();
  let [messages, deliveries, errors] = [0, 0, 0];
  const delays = new Array<number>(DELAY_STEPS_MS.length + 1).fill(0);
  for (const { key, text } of records) {
    if (key.endsWith(` ${SALT}`)) continue;
    const one = JSON.parse(text) as Stored;
    messages += one.messages;
    deliveries += one.deliveries;
    errors += one.errors;
    for (const [i, count] of one.delays.entries()) delays[i] = (delays[i] ?? 0) + count;
    if (one.sketch) sketch.merge(ActiveSketch.of(one.sketch));
  }
  return { messages, deliveries, errors, delays, active: sketch.count() };
}

function answerOf(day: string, { messages, deliveries, errors, delays, active = 0 }: Stored): DayAnswer {
  const activeDevices = active < FEWEST ? null : active;
  return {
    day,
    activeDevices,
    messages,
    deliveries,
    errors,
    delayMs: { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) },
  };
}

function quantile(delays: readonly number[], part: number): number | null {
  const all = delays.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (const [i, step] of DELAY_STEPS_MS.entries()) {
    seen += delays[i] ?? 0;
    if (all > 0 && seen >= part * all) return step;
  }
  return null;
}
