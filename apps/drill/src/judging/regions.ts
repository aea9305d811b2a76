/** What each fault between regions cost whom: who could not write for how long, and how long messages took across. */
import type { HistoryEvent } from '../history/events.ts';
import { CALM_MS, SLOW_MS } from './recovery.ts';

/** Before a fault so long is looked at; what was written in the last second before one may have felt it. */
const BEFORE_MS = 10_000;
const LAST_MS = 1_000;

interface Message {
  readonly at: number;
  readonly region: string;
  accepted: number | undefined;
  /** At the last device of another region than the writer's; undefined: at none. */
  crossed: number | undefined;
}

interface Fault {
  readonly fault: string;
  readonly region: string | undefined;
  readonly begins: number;
  lifted: number;
  over: number;
}

export interface RegionFigures {
  readonly fault: string;
  readonly times: number;
  /** The longest time without an accepted message of people at home in the region that was harmed, or either when none more than the other, ms. */
  readonly silenceMs: number;
  /** The same of the other one; undefined: none is another one. */
  readonly otherSilenceMs: number | undefined;
  /** From the fault's end to the arrival of the last message across that was slow because of it, ms. */
  readonly acrossAfterMs: number;
  /** Of messages across regions, from writing to the last device there, ms; undefined: there were none. */
  readonly before: Quantiles | undefined;
  readonly during: Quantiles | undefined;
  readonly after: Quantiles | undefined;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

export class RegionTimes {
  readonly #regions = new Map<string, string>();
  readonly #messages = new Map<string, Message>();
  readonly #faults: Fault[] = [];

  take(event: HistoryEvent): void {
    switch (event.event) {
      case 'device':
        if (event.region !== undefined) this.#regions.set(event.device, event.region);
        break;
      case 'send': {
        const region = this.#regions.get(event.from);
        if (region !== undefined)
          this.#messages.set(event.id, { at: event.at, region, accepted: undefined, crossed: undefined });
        break;
      }
      case 'accepted': {
        const message = this.#messages.get(event.id);
        if (message) message.accepted = event.at;
        break;
      }
      case 'received': {
        const message = this.#messages.get(event.id);
        const region = this.#regions.get(event.device);
        if (message && region !== undefined && region !== message.region) message.crossed = event.at;
        break;
      }
      case 'fault': {
        const open = this.#faults.at(-1);
        if (event.phase === 'begins') {
          const { fault, region, at } = event;
          const unknown = Number.POSITIVE_INFINITY;
          this.#faults.push({ fault, region, begins: at, lifted: unknown, over: unknown });
        } else if (open && event.phase === 'lifted') open.lifted = event.at;
        else if (open) open.over = event.at;
        break;
      }
    }
  }

  /** One for each fault, in order, the worst of its times; none without regions. */
  figures(): RegionFigures[] {
    if (this.#regions.size === 0) return [];
    const names = [...new Set(this.#faults.map(({ fault }) => fault))];
    return names.map((fault) => this.#figuresOf(this.#faults.filter((one) => one.fault === fault)));
  }

  #figuresOf(times: readonly Fault[]): RegionFigures {
    const names = [...new Set(this.#regions.values())];
    const within = (spanOf: (one: Fault) => readonly [number, number]) => quantiles(this.#across(times.map(spanOf)));
    /** Of all times and regions. */
    const silence = (isMeant: (one: Fault, name: string) => boolean) =>
      worst(times.flatMap((one) => names.filter((name) => isMeant(one, name)).map((name) => this.#silence(one, name))));
    return {
      fault: times[0]!.fault,
      times: times.length,
      silenceMs: silence(isHarmed) ?? 0,
      otherSilenceMs: silence((one, name) => !isHarmed(one, name)),
      acrossAfterMs:
        worst(
          times.flatMap(({ begins, lifted, over }) =>
            this.#written([[begins, over - CALM_MS]])
              .filter(({ at, crossed = at }) => crossed - at > SLOW_MS)
              .map(({ at, crossed = at }) => Math.max(0, crossed - lifted)),
          ),
        ) ?? 0,
      before: within(({ begins }) => [begins - BEFORE_MS, begins - LAST_MS]),
      during: within(({ begins, lifted }) => [begins, lifted]),
      after: within(({ lifted, over }) => [lifted, over - LAST_MS]),
    };
  }

  /** The longest time within the fault in which nothing of `region` was accepted. */
  #silence({ begins, over }: Fault, region: string): number {
    const accepted = [...this.#messages.values()]
      .flatMap((message) => (message.region === region && message.accepted !== undefined ? [message.accepted] : []))
      .filter((at) => begins <= at && at <= over)
      .sort((a, b) => a - b);
    return Math.max(0, ...accepted.map((at, i) => at - (accepted[i - 1] ?? begins)));
  }

  #written(spans: readonly (readonly [number, number])[]): Message[] {
    return [...this.#messages.values()].filter(({ at }) => spans.some(([from, to]) => from <= at && at < to));
  }

  #across(spans: readonly (readonly [number, number])[]): number[] {
    return this.#written(spans).flatMap(({ at, crossed }) => (crossed === undefined ? [] : [crossed - at]));
  }
}

/** Of a fault that harms none more than the others, all. */
function isHarmed({ region }: Fault, name: string): boolean {
  return region === undefined || region === name;
}

function quantiles(times: readonly number[]): Quantiles | undefined {
  if (times.length === 0) return undefined;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
  return { p50: at(0.5), p99: at(0.99) };
}

function worst(figures: readonly number[]): number | undefined {
  return figures.length === 0 ? undefined : Math.max(...figures);
}
