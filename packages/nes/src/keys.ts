/** RSA keys in files and in JSON (docs/spec/nes.md section 1). */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { NesError } from './errors.ts';

export type { KeyObject } from 'node:crypto';

export const DEFAULT_BITS = 2_048;
/** Of keys that are made or registered here. Those of others are read from 1,024 bits on, as the genuine client takes them. */
export const BITS = { minimum: 2_048, maximum: 8_192 };
const READABLE_BITS = 1_024;
const EXPONENT = 65_537n;
/** A public key of 8,192 bits has 1,479 characters. */
const PUBLIC_KEY_CHARACTERS = 4_096;

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Throws `bad-key` for a size out of `BITS`. */
export async function generateKeys(bits = DEFAULT_BITS): Promise<KeyPair> {
  if (!Number.isInteger(bits) || bits < BITS.minimum || bits > BITS.maximum || bits % 8 !== 0)
    throw new NesError('bad-key', `keys have ${BITS.minimum} to ${BITS.maximum} bits`);
  return promisify(generateKeyPair)('rsa', { modulusLength: bits, publicExponent: Number(EXPONENT) });
}

/** PEM `PUBLIC KEY`, lines of 64, a line feed after the last. */
export function publicKeyText(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }) as string;
}

/** PEM `RSA PRIVATE KEY`. */
export function privateKeyText(key: KeyObject): string {
  return key.export({ type: 'pkcs1', format: 'pem' }) as string;
}

/** PEM `PUBLIC KEY`; line ends of Windows are read, too. `minimum`: bits. Throws `bad-key`. */
export function parsePublicKey(text: string, minimum = READABLE_BITS): KeyObject {
  if (text.length > PUBLIC_KEY_CHARACTERS || !text.trimStart().startsWith('-----BEGIN PUBLIC KEY-----'))
    throw new NesError('bad-key', 'not a PUBLIC KEY in PEM');
  return checked(() => createPublicKey(text), minimum);
}

/** PEM `RSA PRIVATE KEY` or `PRIVATE KEY`. `minimum`: bits. Throws `bad-key`. */
export function parsePrivateKey(text: string, minimum = READABLE_BITS): KeyPair {
  const privateKey = checked(() => createPrivateKey(text), minimum);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function checked(read: () => KeyObject, minimum: number): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw new NesError('bad-key', 'not a key in PEM, or damaged', { cause });
  }
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa') throw new NesError('bad-key', 'not a key of RSA');
  if (modulusLength < minimum || modulusLength > BITS.maximum)
    throw new NesError('bad-key', `a key of ${modulusLength} bits: ${minimum} to ${BITS.maximum} are taken`);
  if (publicExponent !== EXPONENT) throw new NesError('bad-key', `the public exponent is not ${EXPONENT}`);
  return key;
}
