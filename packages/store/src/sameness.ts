/** When two records say the same: what makes a repeat a repeat, and anything else a conflict. */
import type { Device, PrekeyBundle } from './port.ts';

/** Not for secrets: it stops at the first difference. */
export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Whether both have the same login key and the same identities in the same order: what a device keeps for life. */
export function isSameDevice(a: Device, b: Device): boolean {
  return (
    isSameBytes(a.loginKey, b.loginKey) &&
    a.identities.length === b.identities.length &&
    a.identities.every(({ curve, identityKey }, i) => {
      const other = b.identities[i];
      return other?.curve === curve && isSameBytes(other.identityKey, identityKey);
    })
  );
}

/** Whether both have the same identity key, signed prekey and signature; one-time keys are not compared. */
export function isSameBundle(a: PrekeyBundle, b: PrekeyBundle): boolean {
  return (
    isSameBytes(a.identityKey, b.identityKey) &&
    a.signedPrekey.id === b.signedPrekey.id &&
    isSameBytes(a.signedPrekey.publicKey, b.signedPrekey.publicKey) &&
    isSameBytes(a.signedPrekey.signature, b.signedPrekey.signature)
  );
}
