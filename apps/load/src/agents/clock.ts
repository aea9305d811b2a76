/** How far another machine's clock is from this one, from round trips: as NTP does, from the quickest one. */

export interface RoundTrip {
  /** ms, by the clock here. */
  readonly asked: number;
  readonly answered: number;
  /** By the clock there. */
  readonly there: number;
}

/** ms. */
export interface ClockEstimate {
  /** To be added to the clock there. */
  readonly offsetMs: number;
  /** At most so wrong, whatever the way there and back: half of the quickest round trip. */
  readonly errorMs: number;
}

/** `trips`: at least one. */
export function estimateOffset(trips: readonly RoundTrip[]): ClockEstimate {
  const duration = ({ asked, answered }: RoundTrip) => answered - asked;
  const quickest = trips.reduce((best, trip) => (duration(trip) < duration(best) ? trip : best));
  const errorMs = duration(quickest) / 2;
  return { offsetMs: quickest.asked + errorMs - quickest.there, errorMs };
}
