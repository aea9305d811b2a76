/** Times, sizes, rates and thresholds as people write them. All throw `LoadError` `usage` of one line that shows the form. */
import { LoadError } from './errors.ts';

const TIME_UNITS = { us: 0.001, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const SIZE_UNITS = { '': 1, B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const;
/** Longer than anybody tests, and a timer takes it. */
const LONGEST_MS = 7 * 24 * 3_600_000;

/** ms. */
export function parseDuration(text: string): number {
  const ms = timeIn(text);
  if (ms === undefined || ms > LONGEST_MS)
    throw new LoadError('usage', `not a time: "${text}"; write it like 500ms, 10s, 5m or 2h (at most 168h)`);
  return ms;
}

/** ms, from and to: people think for different times. */
export function parsePause(text: string): readonly [number, number] {
  const [from = '', to = from, ...more] = text.split('..');
  const range = [parseDuration(from), parseDuration(to)] as const;
  if (more.length > 0 || range[1] < range[0])
    throw new LoadError('usage', `not a range of times: "${text}"; write it like 1s..5s`);
  return range;
}

export function parseBytes(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,12})\s*(B|KiB|MiB|GiB)?$/.exec(text) ?? [];
  if (digits === undefined) throw new LoadError('usage', `not a size: "${text}"; write it like 100, 4KiB or 1MiB`);
  return Number(digits) * SIZE_UNITS[unit as keyof typeof SIZE_UNITS];
}

export function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d{1,7}$/.test(text) || value < 1 || value > 1_000_000)
    throw new LoadError('usage', `not a number from 1 to 1000000: "${text}"`);
  return value;
}

/** A second. */
export function parseRate(text: string): number {
  const value = Number(text);
  if (!/^\d{1,7}(\.\d{1,6})?$/.test(text) || value <= 0)
    throw new LoadError('usage', `not a rate: "${text}"; write how many a second, like 50 or 0.5`);
  return value;
}

/** Undefined for what is no time. */
export function timeIn(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9}(?:\.\d{1,6})?)\s*(us|ms|s|m|h)$/.exec(text.trim()) ?? [];
  return digits === undefined ? undefined : Number(digits) * TIME_UNITS[unit as keyof typeof TIME_UNITS];
}
