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
/** Pairs of account and address; the oldest go first. */
const MAX_KNOWN = 10_000;

export function createGuessLimits({ perAddress, perAccount }: GuessBudgets, deps: LimiterDeps): GuessLimits {
  const addresses = createLimiter('guesses-address', { points: perAddress, windowMs: GUESS_WINDOW_MS }, deps);
  const accounts = createLimiter('guesses-account', { points: perAccount, windowMs: GUESS_WINDOW_MS }, deps);
  const known = new Set<string>();
  const pair = (account: string, address: string) => `${address} ${account}`;

  return {
    demand(account, address) {
      const waitMs =
        addresses.spent(address) ?? (known.has(pair(account, address)) ? undefined : accounts.spent(account));
      if (waitMs !== undefined) throw new Problem('too-many-requests', { retryAfterSeconds: waitMs / 1000 });
    },
    wrong(account, address) {
      addresses.refused(address);
      if (!known.has(pair(account, address))) accounts.refused(account);
    },
    right(account, address) {
      const name = pair(account, address);
      known.delete(name);
      known.add(name);
      if (known.size > MAX_KNOWN) known.delete(known.values().next().value!);
    },
  };
}
