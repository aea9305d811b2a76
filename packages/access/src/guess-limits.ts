/**
 * How often a password may be wrong: by client address, and by account whatever the address (case I08). Wrong ones are counted, and who
 * has used them up is refused before anything is looked at. An address from which the account's right password came is not held up by
 * strangers who guess at the account: nobody can lock another one's devices out.
 */
import type { Charge } from '@sealwire/bus/counters';
import { Problem } from '@sealwire/service/problem';
import { createLimiter, type LimiterDeps } from '@sealwire/service/rate-limit';

export interface GuessLimits {
  /** Rejects with a 429 `Problem` when `account` may not be tried from `address` any more. */
  demand(account: string, address: string): Promise<void>;
  wrong(account: string, address: string): Promise<void>;
  right(account: string, address: string): Promise<void>;
}

export interface GuessBudgets {
  /** In `GUESS_WINDOW_MS`; 0: no limit. */
  readonly perAddress: number;
  readonly perAccount: number;
}

const GUESS_WINDOW_MS = 10 * 60_000;
/** Whose addresses are known, and how many of each: those that were right longest ago go first, and nobody's for another account. */
const KNOWN_ACCOUNTS = 10_000;
const KNOWN_ADDRESSES = 20;
/** For how long the other processes know an address, and how many of an account. The next right password there tells them again. */
const TOLD_MS = 24 * 60 * 60_000;

export function createGuessLimits({ perAddress, perAccount }: GuessBudgets, deps: LimiterDeps): GuessLimits {
  const addresses = createLimiter('guesses-address', { points: perAddress, windowMs: GUESS_WINDOW_MS }, deps);
  const accounts = createLimiter('guesses-account', { points: perAccount, windowMs: GUESS_WINDOW_MS }, deps);
  /** By account: when an address was last told to the others. */
  const known = new Map<string, Map<string, number>>();
  // One process keeps what it knows itself: what all processes share need not grow by it.
  const told = deps.counters?.reach === 'nodes' ? deps.counters : undefined;

  function learn(account: string, address: string, toldAt: number): void {
    const its = known.get(account) ?? new Map<string, number>();
    its.delete(address);
    its.set(address, toldAt);
    if (its.size > KNOWN_ADDRESSES) its.delete(its.keys().next().value!);
    known.delete(account);
    known.set(account, its);
    if (known.size > KNOWN_ACCOUNTS) known.delete(known.keys().next().value!);
  }

  /** Also when another process knows it. */
  async function isKnown(account: string, address: string): Promise<boolean> {
    if (known.get(account)?.has(address)) return true;
    const standing = (await told?.look(account, [mark(account, address)]))?.standings[0];
    return standing !== undefined && standing.taken > 0;
  }

  return {
    async demand(account, address) {
      const waitMs = (await addresses.spent(address)) ?? (await waitOfAccount(account, address));
      if (waitMs !== undefined) throw new Problem('too-many-requests', { retryAfterSeconds: waitMs / 1000 });
    },
    async wrong(account, address) {
      await addresses.refused(address);
      if (!(await isKnown(account, address))) await accounts.refused(account);
    },
    async right(account, address) {
      const now = deps.now();
      const toldAt = known.get(account)?.get(address);
      const isTold = toldAt !== undefined && toldAt <= now && now < toldAt + TOLD_MS;
      learn(account, address, isTold ? toldAt : now);
      if (!isTold) await told?.take(account, [numberOf(account), mark(account, address)]);
    },
  };

  async function waitOfAccount(account: string, address: string): Promise<number | undefined> {
    return (await isKnown(account, address)) ? undefined : accounts.spent(account);
  }
}

/** So many addresses of an account are told: who has one of its passwords cannot fill the memory of all. */
const numberOf = (account: string): Charge => ({
  counter: 'known-addresses',
  key: account,
  points: 1,
  limit: KNOWN_ADDRESSES,
  windowMs: TOLD_MS,
});

const mark = (account: string, address: string): Charge => ({
  counter: 'known-address',
  key: `${account} ${address}`,
  points: 1,
  limit: 1,
  windowMs: TOLD_MS,
});
