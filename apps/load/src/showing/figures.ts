/** How numbers are shown to people. */
import type { Report } from '../measuring/report.ts';
import { timeIn } from '../quantities.ts';

/** ms, with the unit that suits. */
export function time(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`;
  if (ms < 1_000) return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
  return `${(ms / 1_000).toFixed(2)} s`;
}

/** The same for a round time, as the marks of an axis are: without noughts behind the point. */
export function roundTime(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1) return `${short(ms * 1_000)} µs`;
  return ms < 1_000 ? `${short(ms)} ms` : `${short(ms / 1_000)} s`;
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Three digits. */
export function short(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}

/** With its unit where the limit is a time. */
export function thresholdValue({ text, value }: Report['thresholds'][number]): string {
  if (value === null) return 'nothing was measured';
  return timeIn(text.split(/[<>]/)[1] ?? '') === undefined ? String(Number(value.toFixed(3))) : time(value);
}
