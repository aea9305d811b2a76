/**
 * Is this the password of that user? The same work and the same answer for a user who does not exist, one without app passwords, and a
 * wrong password (cases S76, S78); and wrong ones are limited by client address and by account (case I08).
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import { type AccountAddress, parseAccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { AppPasswordVault, DigestUser } from './app-password-vault.ts';
import type { DigestAlgorithm } from './digest-hash.ts';
import type { GuessLimits } from './guess-limits.ts';

interface StoredPassword {
  readonly id: string;
  readonly usedAt: number | undefined;
  readonly verifier: Uint8Array;
}

/** The part of the store that it needs. */
export interface StoredPasswords {
  list(address: AccountAddress): Promise<readonly StoredPassword[]>;
  markUsed(address: AccountAddress, id: string, at: number): Promise<void>;
}

export interface CheckDeps {
  readonly vault: AppPasswordVault;
  readonly passwords: StoredPasswords;
  readonly guesses: GuessLimits;
  readonly random: RandomBytes;
  readonly now: () => number;
}

export interface Claim {
  /** As the client wrote it. */
  readonly user: string;
  readonly algorithm: DigestAlgorithm;
  /** The limiter's key of the client address. */
  readonly from: string;
  /** Whether what the client showed comes from this HA1. Must compare in constant time. */
  proves(ha1: string): boolean;
}

export interface AppPasswordCheck {
  /** The account whose app password it is; undefined: it is nobody's. Throws a 429 `Problem` after too many wrong ones. */
  check(claim: Claim): Promise<AccountAddress | undefined>;
}

const DAY_MS = 86_400_000;
/** Nobody's: looked up and compared in the place of what is not there. No account has a name of one letter. */
const NOBODY = 'x';

export function createAppPasswordCheck({ vault, passwords, guesses, random, now }: CheckDeps): AppPasswordCheck {
  const nobody: DigestUser = { address: parseAccountAddress(`sip:${NOBODY}@localhost`), form: 0 };
  const nobodys = vault.seal({ address: nobody.address, id: NOBODY }, Buffer.from(random(32)).toString('hex'));

  /** As many comparisons as an account may have passwords, unless one is right: their number says nothing. */
  function find(
    held: readonly StoredPassword[],
    { address, form }: DigestUser,
    claim: Claim,
  ): StoredPassword | undefined {
    for (let i = 0; i < LIMITS.appPasswordsPerAccount.value; i++) {
      const password = held[i];
      const owner = password ? { address, id: password.id } : { address: nobody.address, id: NOBODY };
      const ha1 = vault.open(owner, password?.verifier ?? nobodys, claim.algorithm, form);
      if (claim.proves(ha1 ?? '') && ha1 !== undefined && password) return password;
    }
    return undefined;
  }

  return {
    async check(claim) {
      const user = vault.parseUser(claim.user);
      // What is no user of this domain has one budget together: texts of strangers are not worth remembering.
      const account = user?.address ?? NOBODY;
      await guesses.demand(account, claim.from);
      const held = await passwords.list((user ?? nobody).address);
      const password = find(held, user ?? nobody, claim);
      if (!user || !password) {
        await guesses.wrong(account, claim.from);
        return undefined;
      }
      await guesses.right(user.address, claim.from);
      const today = Math.floor(now() / DAY_MS) * DAY_MS;
      // The day, and not the time: a write a day, and no record of when somebody is about.
      if (password.usedAt !== today) await passwords.markUsed(user.address, password.id, today);
      return user.address;
    },
  };
}
