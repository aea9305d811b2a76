/**
 * How often a password may be wrong: by client address, and by account whatever the address (case I08). Wrong ones are counted, and who
 * has used them up is refused before anything is looked at. An address from which the account's right password came is not held up by
 * strangers who guess at the account: nobody can lock another one's devices out.
 */
import { Problem } from '@sealwire/service/problem';
import { createLimiter, type LimiterDeps } from '@sealwire/service/rate-limit';

export interface GuessLimits {
  /** Throws a 429 `Problem` when `account` may not be tried from `address` any more. */
  demand(account: string, address: string): void;
  wrong(account: string, address: string): void;
  right(account: string, address: string): void;
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

export function createGuessLimits({ perAddress, perAccount }: GuessBudgets, deps: LimiterDeps): GuessLimits {
  const addresses = createLimiter('guesses-address', { points: perAddress, windowMs: GUESS_WINDOW_MS }, deps);
  const accounts = createLimiter('guesses-account', { points: perAccount, windowMs: GUESS_WINDOW_MS }, deps);
  const known = new Map<string, Set<string>>();
  const isKnown = (account: string, address: string) => known.get(account)?.has(address) ?? false;

  return {
    demand(account, address) {
      const waitMs = addresses.spent(address) ?? (isKnown(account, address) ? undefined : accounts.spent(account));
      if (waitMs !== undefined) throw new Problem('too-many-requests', { retryAfterSeconds: waitMs / 1000 });
    },
    wrong(account, address) {
      addresses.refused(address);
      if (!isKnown(account, address)) accounts.refused(account);
    },
    right(account, address) {
      const its = known.get(account) ?? new Set();
      its.delete(address);
      its.add(address);
      if (its.size > KNOWN_ADDRESSES) its.delete(its.values().next().value!);
      known.delete(account);
      known.set(account, its);
      if (known.size > KNOWN_ACCOUNTS) known.delete(known.keys().next().value!);
    },
  };
}
