/**
 * App passwords: for programs that know HTTP Digest and no tokens, such as Linphone. An account's devices make, list and revoke them. What
 * such a password is good for: `/lime` for every device id of the account, and a token for a device without a login key. Not for this.
 */

import type { AppPasswordVault } from '@sealwire/access/app-password-vault';
import type { RandomBytes } from '@sealwire/crypto/port';
import { Problem } from '@sealwire/service/problem';
import { type AppPassword, type Store, StoreError } from '@sealwire/store/port';
import type { NewAppPasswordAnswer } from '@sealwire/wire/http';
import { accountOf, type DeviceId, nameOf } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { z } from 'zod';

/** 32 letters and digits that nobody takes for one another, in print or aloud: a random byte's five low bits choose without bias. */
const READABLE = 'abcdefghijkmnpqrstuvwxyz23456789';
/** 7 groups of 4 of 32: 140 bits. */
const GROUPS = 7;
const GROUP_LETTERS = 4;
const ID_LETTERS = 10;

export interface AppPasswordServiceDeps {
  readonly store: Pick<Store, 'appPasswords'>;
  readonly random: RandomBytes;
  readonly now: () => number;
  /** Undefined: the operator gave no key, so there are none. */
  readonly vault: AppPasswordVault | undefined;
}

export class AppPasswordService {
  constructor(private readonly deps: AppPasswordServiceDeps) {}

  /** The password is in this answer and nowhere else; when the answer is lost, revoke it by its name in the list and make another. */
  async make(caller: DeviceId, name: string): Promise<z.output<typeof NewAppPasswordAnswer>> {
    const { store, random, now } = this.deps;
    const vault = this.vault();
    const address = accountOf(caller);
    const id = readable(random, ID_LETTERS);
    const password = Array.from({ length: GROUPS }, () => readable(random, GROUP_LETTERS)).join('-');
    const createdAt = now();
    const verifier = vault.seal({ address, id }, password);
    try {
      const most = LIMITS.appPasswordsPerAccount.value;
      await store.appPasswords.add(address, { id, name, createdAt, verifier }, most);
    } catch (error) {
      throw problemOf(error);
    }
    return { id, name, createdAt, user: nameOf(address), realm: vault.realm, password };
  }

  list(caller: DeviceId): Promise<AppPassword[]> {
    this.vault();
    return this.deps.store.appPasswords.list(accountOf(caller));
  }

  /** Somebody else's, a revoked one and one that never was are the same 404 (case I03). */
  async revoke(caller: DeviceId, id: string): Promise<void> {
    this.vault();
    if (!(await this.deps.store.appPasswords.remove(accountOf(caller), id))) throw new Problem('not-found');
  }

  private vault(): AppPasswordVault {
    if (this.deps.vault) return this.deps.vault;
    throw new Problem('not-found', { detail: 'this server has no app passwords: its operator sets APP_PASSWORD_KEY' });
  }
}

function readable(random: RandomBytes, letters: number): string {
  return Array.from(random(letters), (byte) => READABLE[byte % READABLE.length]).join('');
}

function problemOf(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  const options = { cause: error };
  if (error.kind === 'conflict')
    return new Problem('conflict', { detail: 'there is an app password of that name: revoke it first' }, options);
  if (error.kind === 'limit') {
    const detail = `an account has at most ${LIMITS.appPasswordsPerAccount.value} app passwords: revoke one first`;
    return new Problem('limit-reached', { detail }, options);
  }
  return error;
}
