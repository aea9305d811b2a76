/** Direct form or seed form: what one encryption to n devices should use (lime-protocol section 8.3). */
import { SEED_BYTES, TAG_BYTES } from '../format/message.ts';

/**
 * `DRMessage`: the plaintext in every ratchet message. `cipherMessage`: once, and a seed to each.
 * `optimizeUploadSize` and `optimizeGlobalBandwidth` choose the smaller of the two, for the sender or for everybody.
 */
export type Policy = 'DRMessage' | 'cipherMessage' | 'optimizeUploadSize' | 'optimizeGlobalBandwidth';

/** liblime's default. */
export const DEFAULT_POLICY: Policy = 'optimizeUploadSize';

/** `plaintext` in bytes, `recipients`: those actually encrypted to. */
export function isDirect(policy: Policy, plaintext: number, recipients: number): boolean {
  switch (policy) {
    case 'DRMessage':
      return true;
    case 'cipherMessage':
      return false;
    case 'optimizeUploadSize':
      return recipients * plaintext <= plaintext + TAG_BYTES + SEED_BYTES * recipients;
    case 'optimizeGlobalBandwidth': {
      // Every byte is uploaded once per recipient and downloaded once; a cipherMessage is uploaded once and downloaded by all.
      const seedForm = plaintext + TAG_BYTES + recipients * (2 * SEED_BYTES + plaintext + TAG_BYTES);
      return 2 * recipients * plaintext <= seedForm;
    }
  }
}
