/** What the other side says of its own list of devices, against what the server shows here: docs/spec/verification.md section 4. */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { StatedList } from '@sealwire/verification/short-string';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { PeerBook } from '../accounts/peer-book.ts';
import type { PeerRecord } from '../accounts/peer-record.ts';

/**
 * `hidden-list`: the server shows an older one here. `forked-list`: it shows another one. Undefined: all is well. Throws as
 * `PeerBook.refresh`.
 */
export async function contradiction(
  book: PeerBook,
  crypto: CryptoProvider,
  address: AccountAddress,
  stated: StatedList,
): Promise<'hidden-list' | 'forked-list' | undefined> {
  let known = book.find(address);
  if (!known || known.manifest.version < stated.version) known = await book.refresh(address);
  const { version } = known.manifest;
  if (version < stated.version) return 'hidden-list';
  return version === stated.version && !crypto.equal(crypto.sha256(known.bytes), stated.digest)
    ? 'forked-list'
    : undefined;
}

/** Devices that understand a comparison: a LIME client of others would show what it is told as a message. */
export function listeners(account: PeerRecord): DeviceId[] {
  return account.manifest.devices.filter(({ loginKey }) => loginKey.length > 0).map(({ id }) => id);
}
