/** The account secret as its owner keeps it on paper (docs/spec/recovery.md). */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { formatRecoveryKey, parseRecoveryKey } from '@sealwire/wire/recovery-key';
import { WireError } from '@sealwire/wire/wire-error';
import { ClientError } from '../errors.ts';
import { administratorSeed } from './administrator.ts';
import type { SelfRecord } from './self-record.ts';

/** Throws `not-administrator`. */
export function recoveryKeyOf(crypto: CryptoProvider, self: SelfRecord): string {
  return formatRecoveryKey(crypto, administratorSeed(self));
}

/** The account secret that a recovery key stands for, 32 bytes. Throws `bad-recovery-key`, which names the group with the mistake. */
export function secretIn(crypto: CryptoProvider, recoveryKey: string): Uint8Array {
  try {
    return parseRecoveryKey(crypto, recoveryKey);
  } catch (error) {
    if (error instanceof WireError) throw new ClientError('bad-recovery-key', error.message, { cause: error });
    throw error;
  }
}

/** Whether it is this account's. Throws as the two above do. */
export function isRecoveryKeyOf(crypto: CryptoProvider, self: SelfRecord, recoveryKey: string): boolean {
  return crypto.equal(secretIn(crypto, recoveryKey), administratorSeed(self));
}
