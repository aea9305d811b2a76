/** What every adapter looks at before an account gets another key (`Accounts.reset`). */
import { type StoredManifest, StoreError } from './port.ts';
import { isSameBytes } from './sameness.ts';

/** `current`: the account key that is there; `from`: the one that is to go; `to`: the one that is to come. Throws `StoreError` `conflict`. */
export function checkReset(current: Uint8Array, from: Uint8Array, to: Uint8Array, manifest: StoredManifest): void {
  if (!isSameBytes(current, from)) throw new StoreError('conflict', 'the account has another key than the one to go');
  // Its contacts would see an older list under the key that they know, and believe that the server went back.
  if (isSameBytes(current, to)) throw new StoreError('conflict', 'the account has that key already');
  if (manifest.version !== 1) throw new StoreError('conflict', 'the first manifest has version 1');
}
