/** The provider's RSA key: given, or made at the first start and kept beside the other secrets. Its users pin the public half. */
import { existsSync } from 'node:fs';
import type { RandomBytes } from '@sealwire/crypto/port';
import { NesError } from '@sealwire/nes/errors';
import { BITS, generateKeys, type KeyPair, parsePrivateKey, privateKeyText } from '@sealwire/nes/keys';
import { ConfigError } from '@sealwire/service/config';
import { loadOrCreateSecretText } from '@sealwire/service/secret-file';

const OWN_BITS = 3_072;
const MAKE_ONE = 'make one: openssl genrsa -traditional -out nes-key.pem 3072, and name it by NES_KEY_FILE';

/** `file`: where a key is kept that nobody gave. Throws `ConfigError`. */
export async function providerKey(
  given: string | undefined,
  file: string | undefined,
  random: RandomBytes,
): Promise<KeyPair> {
  if (given !== undefined) return parse(given, 'NES_KEY', MAKE_ONE);
  if (file === undefined) throw new ConfigError('NES_KEY', 'NES_PROVIDER=on needs it', MAKE_ONE);
  const made = existsSync(file) ? undefined : await generateKeys(OWN_BITS);
  const text = loadOrCreateSecretText(file, random, () => privateKeyText(made!.privateKey));
  return parse(text, file, 'restore it from a backup; whoever pinned its public half refuses another');
}

/** Without the text: it is a secret. */
function parse(text: string, where: string, fix: string): KeyPair {
  try {
    return parsePrivateKey(text, BITS.minimum);
  } catch (error) {
    if (!(error instanceof NesError)) throw error;
    throw new ConfigError(where, error.message, fix);
  }
}
