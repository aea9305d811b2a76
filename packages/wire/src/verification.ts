/**
 * What two devices say to each other while their users compare four characters (docs/spec/verification.md section 4): the body of an
 * encrypted message that no application is shown.
 */
import { choice, exactly, message, Oneof, uint, type VariantOf } from './protobuf/fields.ts';
import { Reader } from './protobuf/reader.ts';

/** Media type of such a message. */
export const VERIFICATION_TYPE = 'application/vnd.sealwire.verification';
export const VERIFICATION_ID_BYTES = 16;

const REFUSED = 'bad-verification-message';
const id = exactly(1, VERIFICATION_ID_BYTES);

export const VERIFICATION = new Oneof({
  request: message(1, { id }),
  accept: message(2, { id, commitment: exactly(2, 32) }),
  key: message(3, { id, key: exactly(2, 32) }),
  reveal: message(4, { id, key: exactly(2, 32), salt: exactly(3, 16) }),
  confirm: message(5, { id, version: uint(2), digest: exactly(3, 32), mac: exactly(4, 32) }),
  cancel: message(6, {
    id,
    reason: choice(2, [undefined, 'cancelled', 'busy', 'elsewhere', 'different', 'forged', 'late']),
  }),
});

export type VerificationMessage = VariantOf<typeof VERIFICATION>;

export function encodeVerification(message: VerificationMessage): Uint8Array<ArrayBuffer> {
  return VERIFICATION.encode(message);
}

/** Throws `WireError` `bad-verification-message`: also for what only a newer version knows. Byte fields are views. */
export function decodeVerification(bytes: Uint8Array): VerificationMessage {
  const reader = new Reader(bytes, REFUSED);
  return VERIFICATION.read(reader) ?? reader.fail('empty, or a message of another version');
}
