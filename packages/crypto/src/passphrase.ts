/**
 * A key from a passphrase, for files that people carry away: scrypt (RFC 7914) with r = 8, p = 1. It runs in pages too, where argon2id would
 * be a program of its own; what stays on a device of ours is sealed under argon2id by the command line.
 */
import { scryptAsync } from '@noble/hashes/scrypt.js';

/** What opens a key costs 128 MiB and some half a second: OWASP's first choice for scrypt. */
export const SCRYPT_COST = 17;

/**
 * 32 bytes. `cost`: 2^cost KiB of memory. The passphrase is normalised (NFC): the same one typed on another keyboard may arrive composed
 * differently.
 */
export function keyOfPassphrase(passphrase: string, salt: Uint8Array, cost: number): Promise<Uint8Array> {
  const password = new TextEncoder().encode(passphrase.normalize('NFC'));
  return scryptAsync(password, salt, { N: 2 ** cost, r: 8, p: 1, dkLen: 32, maxmem: 2 ** (cost + 11) });
}
