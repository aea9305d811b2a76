/** What becomes of an account that the server shows under another key (docs/spec/recovery.md section 4). */
import { type AccountAddress, nameOf } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { AccountResetEvent } from '../events.ts';
import type { PeerBook } from './peer-book.ts';
import type { PeerRecord } from './peer-record.ts';
import type { SelfRecord } from './self-record.ts';

export function resetEvent(address: AccountAddress, own: AccountAddress): AccountResetEvent {
  const name = nameOf(address);
  const text =
    address === own
      ? `the server shows ${name} under another key than ours: the account was reset there, or somebody poses as you; ask the operator`
      : `${name} was reset on the server, or somebody poses as ${name}: nothing is sent until you have asked ${name} in another way, and accept the new key`;
  return { kind: 'account-reset', address, text };
}

/** Of our own account, when its login is refused: why this device is not part of it. */
export function throwIfReset(error: unknown): never {
  if (!(error instanceof ClientError && error.code === 'account-key-changed')) throw error;
  throw new ClientError(
    'device-removed',
    'the account was reset on its server, and this device is not part of it any more: if that was not you, tell the operator and your contacts',
    { cause: error },
  );
}

/**
 * `accountKey`: the one that the user has compared; default: the one that was shown. Throws `forbidden` for our own account and where no
 * other key was shown, and what `PeerBook.acceptReset` throws.
 */
export async function acceptReset(
  { book, self }: { readonly book: PeerBook; readonly self: SelfRecord },
  address: AccountAddress,
  accountKey?: Uint8Array,
): Promise<PeerRecord> {
  if (address === self.address) throw new ClientError('forbidden', 'this is our own account');
  const shown = book.find(address)?.shown;
  if (!shown) throw new ClientError('forbidden', `the server has shown no other key of ${nameOf(address)}`);
  return book.acceptReset(address, accountKey ?? shown);
}
