/** For whom a LIME request is answered, and what vouches for it. */
import type { DeviceId } from '@sealwire/wire/ids';

/**
 * - `device`: a token, which only that very device can have got;
 * - `account`: an app password: whoever has it may speak for every device id of the account, but is no authority on its manifest;
 * - `nobody`: open mode, in which everybody is who they say they are;
 * - `peer`: the directory of the device's own domain, which asks for it (docs/spec/lime-key-server.md section 7).
 */
export type Voucher = 'device' | 'account' | 'nobody' | 'peer';

export interface LimeSender {
  /** What the identity header names; except in open mode it belongs to who is authenticated. */
  readonly device: DeviceId;
  readonly vouchedBy: Voucher;
}
