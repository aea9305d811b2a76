/**
 * The authority of a deployment (docs/spec/verification.md section 8): its key, kept in a file off the servers, and the certificates that
 * it makes.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { ConfigError } from '@sealwire/service/config';
import { loadOrCreateSecretText } from '@sealwire/service/secret-file';
import { CERTIFICATE_SERIAL_BYTES, signAccountCertificate } from '@sealwire/wire/account-certificate';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { ManifestAnswer } from '@sealwire/wire/http';
import { type AccountAddress, parseAccountAddress } from '@sealwire/wire/ids';
import { verifyManifest } from '@sealwire/wire/manifest';

const KEY_BYTES = 32;
const DAY_MS = 86_400_000;
/** Clocks of devices may be behind that of the authority. */
const EARLIER_MS = 60 * 60_000;

/** Who is certified. */
export interface CertifiedAccount {
  readonly address: AccountAddress;
  readonly accountKey: Uint8Array;
}

export interface Certification {
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly now: () => number;
}

/** Makes the key of a new authority in `file`; answers its public half. Throws `ConfigError` when the file is there. */
export function makeAuthority({ crypto, random }: Certification, file: string): Uint8Array {
  if (existsSync(file))
    throw new ConfigError('--new-ca', `${file} is there already`, 'name a file that is not: a key is not written over');
  const text = loadOrCreateSecretText(file, random, () => encodeBase64url(random(KEY_BYTES)));
  return crypto.ed25519.publicKey(decodeBase64url(text));
}

/** The Ed25519 seed in `file`. Throws `ConfigError`. */
export function readAuthority({ random }: Pick<Certification, 'random'>, file: string): Uint8Array {
  const damaged = () => new ConfigError('--ca-key', `${file} holds no key`, 'name the file that --new-ca has made');
  if (!existsSync(file)) throw damaged();
  const text = loadOrCreateSecretText(file, random, () => '');
  const seed = bytesIn(text);
  if (seed?.length !== KEY_BYTES) throw damaged();
  return seed;
}

/** One certificate, from an hour ago for `days`, as base64url. */
export function certify(
  { crypto, random, now }: Certification,
  seed: Uint8Array,
  { address, accountKey }: CertifiedAccount,
  days: number,
): string {
  const term = { notBefore: now() - EARLIER_MS, notAfter: now() + days * DAY_MS };
  const serial = random(CERTIFICATE_SERIAL_BYTES);
  return encodeBase64url(signAccountCertificate(crypto, seed, { address, accountKey, ...term, serial }));
}

/** Lines `ADDRESS ACCOUNTKEY`, the key in base64url or hexadecimal; empty ones and comments (`#`) are skipped. Throws `ConfigError` with the line. */
export function readAccountList(crypto: CryptoProvider, file: string): CertifiedAccount[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError('--list', `${file} cannot be read (${code})`, 'name a file of lines `ADDRESS ACCOUNTKEY`');
  }
  return text.split('\n').flatMap((line, at) => {
    const words = line.replace(/#.*/, '').trim().split(/\s+/);
    if (words[0] === '') return [];
    const accountKey = keyIn(words[1] ?? '');
    try {
      const address = parseAccountAddress(words[0]!);
      if (words.length === 2 && accountKey && crypto.ed25519.isValidPublicKey(accountKey))
        return [{ address, accountKey }];
    } catch {
      // As below.
    }
    throw new ConfigError('--list', `line ${at + 1} of ${file} is no account`, 'write `sip:NAME@DOMAIN ACCOUNTKEY`');
  });
}

/** The account as the directory at `server` shows it: whether that is the key of its owner is for people to compare. Throws `ConfigError`. */
export async function askForAccount(
  crypto: CryptoProvider,
  fetch: (url: string) => Promise<Response>,
  server: string,
  name: string,
): Promise<CertifiedAccount> {
  const base = server.replace(/\/+$/, '');
  let answer: Response;
  try {
    answer = await fetch(`${base}/directory/manifests/${encodeURIComponent(name)}`);
  } catch {
    throw new ConfigError(
      '--server',
      `${base} does not answer`,
      'look whether it runs, and whether that is its address',
    );
  }
  if (answer.status === 404) throw new ConfigError('arguments', `there is no ${name} at ${base}`, 'check the name');
  try {
    const { address, accountKey, manifest, signature } = ManifestAnswer.parse(await answer.json());
    if (verifyManifest(crypto, accountKey, manifest, signature).address === address) return { address, accountKey };
  } catch {
    // As below.
  }
  throw new ConfigError(
    '--server',
    `${base} answers no list of devices of ${name} (${answer.status})`,
    'ask again later',
  );
}

/** In base64url, or in hexadecimal as `sealwire whoami --json` shows it. */
function keyIn(text: string): Uint8Array | undefined {
  return /^[\da-f]{64}$/.test(text) ? Uint8Array.from(Buffer.from(text, 'hex')) : bytesIn(text);
}

function bytesIn(text: string): Uint8Array | undefined {
  try {
    return decodeBase64url(text);
  } catch {
    return undefined;
  }
}
