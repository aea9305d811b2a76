/**
 * One chain as its recipient sees it (docs/spec/chain.md section 3): what arrived lately, what is missing, and what a message that
 * arrives now says about both. Nothing here is stored; `incoming-chains.ts` does that.
 */
import { MISSING_RANGES } from '@sealwire/wire/envelope';

/** Of the newest messages number and digest are known; what is older and not missing is not compared any more. */
const RECEIVED = 16;

/** A message of the chain. */
export interface Point {
  readonly number: number;
  /** base64url. */
  readonly digest: string;
}

/** Numbers above `after`, up to `last`, which is missing for sure: a later message names it and its digest. */
export interface Hole extends Point {
  readonly after: number;
}

export interface IncomingChain {
  /** Ascending, the newest ones. */
  readonly received: readonly Point[];
  /** Ascending; at most `MISSING_RANGES`. */
  readonly holes: readonly Hole[];
}

export interface Arrived extends Point {
  readonly previous: Point | undefined;
  /** The sender knows of no earlier message of the chain that was accepted for this device. */
  readonly newcomer: boolean;
  /** Sent again because it could not be read: that it is late is no fault. */
  readonly again: boolean;
}

export type Finding =
  | { readonly kind: 'hole'; readonly first: number; readonly last: number }
  /** It was missing, or later ones came before it. */
  | { readonly kind: 'late' }
  /** It contradicts what arrived before: there are two devices of that name, or one that was set back. */
  | { readonly kind: 'fork' };

export const NOTHING_YET: IncomingChain = { received: [], holes: [] };

/** `chain` with one message more, and what is wrong. */
export function follow(
  chain: IncomingChain,
  arrived: Arrived,
): { readonly chain: IncomingChain; readonly finding?: Finding } {
  const { number, digest, previous, newcomer, again } = arrived;
  const point = { number, digest };
  const newest = chain.received.at(-1)?.number ?? 0;
  const forked = { chain: { received: [point], holes: [] }, finding: { kind: 'fork' } } as const;
  const same = chain.received.find((other) => other.number === number);
  if (same) return same.digest === digest ? { chain } : forked;
  if (previous && contradicts(chain, previous)) return forked;
  if (number > newest) {
    const next = { ...chain, received: [...chain.received, point].slice(-RECEIVED) };
    // Who is new has lost nothing; and what the sender holds to have failed is not missed.
    if (newcomer || !previous || previous.number <= newest) return { chain: next };
    const holes = bounded([...chain.holes, { ...previous, after: newest }]);
    return { chain: { ...next, holes }, finding: { kind: 'hole', first: newest + 1, last: previous.number } };
  }
  const hole = chain.holes.find(({ after, number: last }) => after < number && number <= last);
  // Before a fork: it is told of already.
  if (!hole && number < chain.received[0]!.number) return again ? { chain } : forked;
  if (hole?.number === number && hole.digest !== digest) return forked;
  const received = [...chain.received, point].sort((a, b) => a.number - b.number).slice(-RECEIVED);
  const holes = bounded(chain.holes.flatMap((each) => (each === hole ? around(each, arrived) : [each])));
  return { chain: { received, holes }, ...(!again && { finding: { kind: 'late' } }) };
}

/** Whether the chain knows another message of that number, or knows that there was none. */
function contradicts({ received, holes }: IncomingChain, { number, digest }: Point): boolean {
  const known = [...received, ...holes].find((point) => point.number === number);
  if (known) return known.digest !== digest;
  const [oldest] = received;
  if (!oldest || number < oldest.number || number > received.at(-1)!.number) return false;
  return !holes.some(({ after, number: last }) => after < number && number < last);
}

/** What is still missing of `hole`, once a message out of it has arrived. */
function around(hole: Hole, { number, previous, newcomer }: Arrived): Hole[] {
  const below = previous && !newcomer && previous.number > hole.after ? [{ ...previous, after: hole.after }] : [];
  const above = number < hole.number ? [{ ...hole, after: number }] : [];
  return [...below, ...above];
}

/** The oldest ones become one when there are too many. */
function bounded(holes: readonly Hole[]): readonly Hole[] {
  if (holes.length <= MISSING_RANGES) return holes;
  const [first, second, ...rest] = holes as [Hole, Hole, ...Hole[]];
  return bounded([{ ...second, after: first.after }, ...rest]);
}
