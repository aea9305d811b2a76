/**
 * RSAES-PKCS1-v1_5 decryption of a key of known length, from the block that RSA gave (RFC 8017 section 7.2.2):
 *   00 ‖ 02 ‖ at least eight bytes other than 00 ‖ 00 ‖ key
 * Whether the block was good is no secret worth keeping from the owner and the one thing that nobody else may learn (Bleichenbacher's
 * attack): in the place of a bad one comes `instead`, and no branch, no index and no length depends on what the block holds. The message
 * then fails where any other bad one fails.
 */

const MINIMUM_PADDING = 8;

/** `block`: as long as the modulus. `instead`: random, as long as the key. */
export function unwrapKey(block: Uint8Array, instead: Uint8Array): Uint8Array {
  const keyAt = block.length - instead.length;
  let bad = block[0]! | (block[1]! ^ 2) | block[keyAt - 1]!;
  // A key of this length leaves no room for the padding that the standard asks for: known from the lengths alone.
  bad |= keyAt < MINIMUM_PADDING + 3 ? 1 : 0;
  for (let i = 2; i < keyAt - 1; i++) bad |= isZero(block[i]!);
  // 0 when good, 255 when not.
  const mask = -(1 - isZero(bad & 0xff)) & 0xff;
  const key = new Uint8Array(instead.length);
  for (let i = 0; i < key.length; i++) key[i] = (block[keyAt + i]! & ~mask) | (instead[i]! & mask);
  return key;
}

/** 1 for 0, else 0; `byte` is 0 to 255. */
function isZero(byte: number): number {
  return ((byte - 1) >>> 31) & 1;
}
