/** For whom a LIME request is answered, and what vouches for it. */
import type { DeviceId } from '@sealwire/wire/ids';

/**
 * - `device`: a token, which only that very device can have got;
 * - `account`: an app password: whoever has it may speak for every device id of the account, but is no authority on its manifest;
 * - `nobody`: open mode, in which everybody is who they say they are.
 */
export type Voucher = 'device' | 'account' | 'nobody';

export interface LimeSender {
  /** What the identity header names; for `device` and `account` it belongs to who is authenticated. */
  readonly device: DeviceId;
  readonly vouchedBy: Voucher;
}
