/** The one length check at the public doors: it names what was wrong, never a byte of it. */
import { CryptoError } from './port.ts';

/** Throws `bad-length` unless `bytes` has one of the `allowed` lengths. `label` is the field's name in the message. */
export function requireLength(label: string, bytes: Uint8Array, ...allowed: readonly number[]): void {
  if (allowed.includes(bytes.length)) return;
  throw new CryptoError('bad-length', `${label} has ${bytes.length} bytes; expected ${allowed.join(' or ')}`);
}
