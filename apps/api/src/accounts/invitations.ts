/** Invitation codes: 160 random bits, stored as a hash, good for a number of accounts until a date (case I10). */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import type { Store } from '@sealwire/store/port';
import { encodeBase64url } from '@sealwire/wire/base64url';

const CODE_BYTES = 20;

/** The most that one code may be good for, and the longest. */
export const INVITE_USES = 10_000;
export const INVITE_DAYS = 3_650;

/** On the administrator's socket. */
export const INVITATIONS_PATH = '/v1/admin/invitations';

/** What the store knows an invitation by. The code has full entropy, so a plain hash suffices; the prefix keeps it apart from other hashes. */
export function invitationHash(crypto: CryptoProvider, code: string): Uint8Array {
  return crypto.sha256(new TextEncoder().encode(`sealwire/invitation/v1\0${code}`));
}

export interface InvitationOptions {
  readonly store: Pick<Store, 'accounts'>;
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  /** ms since 1970 */
  readonly now: number;
  /** How many accounts it is good for. */
  readonly uses: number;
  readonly lifeMs: number;
}

export interface Invitation {
  readonly code: string;
  /** ms since 1970 */
  readonly expiresAt: number;
}

/** Makes and stores an invitation. The code is shown once and kept nowhere. */
export async function createInvitation(options: InvitationOptions): Promise<Invitation> {
  const code = encodeBase64url(options.random(CODE_BYTES));
  const expiresAt = options.now + options.lifeMs;
  await options.store.accounts.addInvitation(invitationHash(options.crypto, code), options.uses, expiresAt);
  return { code, expiresAt };
}
