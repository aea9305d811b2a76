/**
 * Reset codes: what the operator gives to somebody who has lost every device and the recovery key (docs/spec/recovery.md section 3). 160
 * random bits, stored as a hash, good for one account once. An account that got another key since has no use for the ones made before.
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import type { Log } from '@sealwire/service/log';
import { Problem } from '@sealwire/service/problem';
import type { Account, Store } from '@sealwire/store/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { type AccountAddress, addressOf, typedName } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { z } from 'zod';

const CODE_BYTES = 20;
const NUMBER_BYTES = 4;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The longest that a code is good for. */
export const RESET_DAYS = 30;

/** On the administrator's socket. */
export const RESETS_PATH = '/v1/admin/resets';

const resetRequest = z.strictObject({ name: z.string().max(255), days: z.int().min(1).max(RESET_DAYS) });

export interface ResetCode {
  readonly address: AccountAddress;
  readonly code: string;
  /** As the log has it, when the code is made and when it is used. */
  readonly number: string;
  /** ms since 1970 */
  readonly expiresAt: number;
}

/** What the store knows a code by: of this account, as long as it has this key. */
export function resetHash(
  crypto: CryptoProvider,
  { address, accountKey }: Pick<Account, 'address' | 'accountKey'>,
  code: string,
): Uint8Array {
  const prefix = new TextEncoder().encode(`sealwire/reset/v1\0${address}\0`);
  return crypto.sha256(Uint8Array.from([...prefix, ...accountKey, ...new TextEncoder().encode(code)]));
}

/** Of a code, for people and the log, which names nobody. */
export function resetNumber(hash: Uint8Array): string {
  return Buffer.from(hash.subarray(0, NUMBER_BYTES)).toString('hex');
}

export interface ResetOptions {
  readonly store: Pick<Store, 'accounts'>;
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly now: () => number;
  readonly domain: string;
  readonly log: Log;
}

/** What the administrator may ask about resets. Nothing changes for the account before the code is used. */
export function resetCommands({ store, crypto, random, now, domain, log }: ResetOptions) {
  return {
    async [RESETS_PATH](body: unknown): Promise<ResetCode> {
      const { name, days } = resetRequest.parse(body);
      const address = addressIn(name, domain);
      const account = address && (await store.accounts.find(address));
      if (!account) throw new Problem('not-found', { detail: `there is no account of that name on ${domain}` });
      const code = encodeBase64url(random(CODE_BYTES));
      const hash = resetHash(crypto, account, code);
      const expiresAt = now() + days * DAY_MS;
      await store.accounts.addInvitation(hash, 1, expiresAt);
      const number = resetNumber(hash);
      log.warn('account-reset-allowed', { request: number });
      return { address: account.address, code, number, expiresAt };
    },
  };
}

/** Undefined: no name of an account. */
function addressIn(name: string, domain: string): AccountAddress | undefined {
  try {
    return addressOf(typedName(name), domain);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
