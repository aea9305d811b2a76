/** What a message is bound to besides its own bytes (lime-protocol section 8). */
import type { DeviceId } from '@sealwire/wire/ids';
import { deviceBytes } from '../bytes/names.ts';
import { TAG_BYTES } from '../format/message.ts';
import type { AssociatedData } from '../ratchet/ratchet.ts';

/**
 * AD of a ratchet message. Direct form: recipient user | source device | recipient device. Seed form: the tag
 * of the cipherMessage takes the place of the recipient user.
 */
export function associatedDataOf(
  source: DeviceId,
  recipient: DeviceId,
  recipientUser: Uint8Array,
  cipherMessage: Uint8Array | undefined,
): AssociatedData {
  const bound = cipherMessage ? cipherMessage.subarray(cipherMessage.length - TAG_BYTES) : recipientUser;
  return [bound, deviceBytes(source), deviceBytes(recipient)];
}
