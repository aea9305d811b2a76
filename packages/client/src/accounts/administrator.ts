/**
 * Which devices may change their account's list (docs/spec/manifest.md section 1): those that hold the account key. The first device does, a
 * device that joined by the account secret, and a linked one that was given it.
 */
import { ClientError } from '../errors.ts';
import type { SelfRecord } from './self-record.ts';

/** Throws `not-administrator`. */
export function administratorSeed({ accountSeed }: SelfRecord): Uint8Array {
  if (accountSeed) return accountSeed;
  throw new ClientError(
    'not-administrator',
    'this device may not change the list of devices: do it on the device that let this one in',
  );
}
