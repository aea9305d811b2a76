/** Signatures of NES, of messages and of the provider's answers: RSASSA-PSS (docs/spec/nes.md section 1), over node:crypto. */
import { constants, createSign, createVerify, type KeyObject } from 'node:crypto';

const PADDING = constants.RSA_PKCS1_PSS_PADDING;

/** Bytes of the modulus: of a wrapped key and of a signature. */
export function modulusBytes(key: KeyObject): number {
  return Math.ceil(key.asymmetricKeyDetails!.modulusLength! / 8);
}

/** RSASSA-PSS with SHA-256 and MGF1-SHA-256, and the longest salt that fits. */
export function sign(own: KeyObject, text: Uint8Array): Uint8Array {
  const options = { key: own, padding: PADDING, saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN };
  return new Uint8Array(createSign('sha256').update(text).sign(options));
}

/** Takes a salt of any length. */
export function verify(signer: KeyObject, text: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== modulusBytes(signer)) return false;
  const options = { key: signer, padding: PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
  return createVerify('sha256').update(text).verify(options, signature);
}
