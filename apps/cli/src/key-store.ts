/**
 * The header of a profile's key store: how a passphrase becomes the key that seals every record.
 *
 *   passphrase ──argon2id(salt, memory, passes, lanes)──▶ wrapping key ──ChaCha20-Poly1305──▶ store key (32 random bytes)
 *
 * The store key never changes, so that a new passphrase rewrites this file alone. What the header says is authenticated with the
 * sealed key; a changed parameter only yields a wrong wrapping key. RFC 9106 section 4 gives the parameters.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { hashRaw } from '@node-rs/argon2';
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { WireError } from '@sealwire/wire/wire-error';
import { z } from 'zod';
import { CliError } from './exit-codes.ts';
import { syncFolder } from './sync-folder.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const SALT_BYTES = 16;
const FORMAT = 'sealwire-key-store/1';
/** `Algorithm.Argon2id` of @node-rs/argon2, a const enum that isolated modules cannot import. */
const ARGON2ID = 2;

/** RFC 9106 section 4, second recommended option: 64 MiB. */
const ARGON2ID_PARAMETERS = { memoryKiB: 65_536, passes: 3, lanes: 4 } as const;

// The upper bounds keep a planted header from exhausting the machine.
const Argon2id = z.strictObject({
  name: z.literal('argon2id'),
  memoryKiB: z.int().min(8).max(4_194_304),
  passes: z.int().min(1).max(1_000),
  lanes: z.int().min(1).max(64),
  salt: z.string().refine(isSalt),
});
const Header = z.discriminatedUnion('protection', [
  z.strictObject({
    format: z.literal(FORMAT),
    protection: z.literal('passphrase'),
    kdf: Argon2id,
    sealedKey: z.string(),
  }),
  z.strictObject({ format: z.literal(FORMAT), protection: z.literal('none'), key: z.string() }),
]);
type Header = z.output<typeof Header>;
type Kdf = z.output<typeof Argon2id>;

/** Parameters of argon2id (RFC 9106). */
export interface PassphraseCost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

export interface KeyStoreTools {
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  /** Smaller ones in tests. */
  readonly parameters?: PassphraseCost | undefined;
}

/**
 * Makes a new header file (0600) and returns the store key. `passphrase` undefined: the key lies in the file itself.
 * The caller has the lock of the profile's store, so that nobody else makes one meanwhile: to claim the name by a hard link would ask
 * for a file system that has them. Throws `CliError` (`locked`) when another process made one before that.
 */
export async function createKeyStore(
  file: string,
  passphrase: string | undefined,
  tools: KeyStoreTools,
): Promise<Uint8Array> {
  if (existsSync(file)) throw new CliError('locked', `${file} has just been made by another process`);
  const key = tools.random(KEY_BYTES);
  writeHeader(file, await sealedHeader(key, passphrase, tools), tools.random);
  return key;
}

/** Seals the same store key under another passphrase: the file is the old one or the new one, whenever the process ends. */
export async function replaceKeyStore(
  file: string,
  key: Uint8Array,
  passphrase: string | undefined,
  tools: KeyStoreTools,
): Promise<void> {
  writeHeader(file, await sealedHeader(key, passphrase, tools), tools.random);
}

async function sealedHeader(
  key: Uint8Array,
  passphrase: string | undefined,
  { crypto, random, parameters = ARGON2ID_PARAMETERS }: KeyStoreTools,
): Promise<Header> {
  if (passphrase === undefined) return { format: FORMAT, protection: 'none', key: encodeBase64url(key) };
  const kdf: Kdf = { name: 'argon2id', ...parameters, salt: encodeBase64url(random(SALT_BYTES)) };
  const nonce = random(NONCE_BYTES);
  const sealed = crypto.chacha20poly1305.seal(await wrappingKey(passphrase, kdf), nonce, key, associatedData(kdf));
  const sealedKey = encodeBase64url(Uint8Array.from([...nonce, ...sealed]));
  return { format: FORMAT, protection: 'passphrase', kdf, sealedKey };
}

/**
 * The store key. `askPassphrase` is called only when one is needed.
 * Throws `CliError`: `authentication` for a wrong passphrase, `damaged` for a file that is no header.
 */
export async function openKeyStore(
  file: string,
  askPassphrase: () => Promise<string>,
  { crypto }: Pick<KeyStoreTools, 'crypto'>,
): Promise<Uint8Array> {
  const header = readHeader(file);
  if (header.protection === 'none') return bytesOf(file, header.key, KEY_BYTES);
  const sealed = bytesOf(file, header.sealedKey, NONCE_BYTES + KEY_BYTES + 16);
  const passphrase = await askPassphrase();
  const wrapping = await wrappingKey(passphrase, header.kdf);
  try {
    return crypto.chacha20poly1305.open(
      wrapping,
      sealed.subarray(0, NONCE_BYTES),
      sealed.subarray(NONCE_BYTES),
      associatedData(header.kdf),
    );
  } catch {
    throw new CliError('authentication', `wrong passphrase for ${file}`);
  }
}

/** How the key in `file` is protected. Throws `CliError` (`damaged`). */
export function protectionOf(file: string): Header['protection'] {
  return readHeader(file).protection;
}

async function wrappingKey(passphrase: string, kdf: Kdf): Promise<Uint8Array> {
  const { memoryKiB, passes, lanes } = kdf;
  // Normalised: the same passphrase typed on another keyboard may arrive composed differently.
  const hash = await hashRaw(passphrase.normalize('NFC'), {
    algorithm: ARGON2ID,
    memoryCost: memoryKiB,
    timeCost: passes,
    parallelism: lanes,
    outputLen: KEY_BYTES,
    salt: decodeBase64url(kdf.salt),
  });
  return new Uint8Array(hash);
}

function associatedData({ name, memoryKiB, passes, lanes, salt }: Kdf): Uint8Array {
  return new TextEncoder().encode([FORMAT, name, memoryKiB, passes, lanes, salt].join('\0'));
}

function readHeader(file: string): Header {
  const text = readFileSync(file, 'utf8');
  try {
    return Header.parse(JSON.parse(text));
  } catch {
    throw damaged(file);
  }
}

function isSalt(text: string): boolean {
  try {
    return decodeBase64url(text).length === SALT_BYTES;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

function bytesOf(file: string, text: string, length: number): Uint8Array {
  try {
    const bytes = decodeBase64url(text);
    if (bytes.length === length) return bytes;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  throw damaged(file);
}

function damaged(file: string): CliError {
  return new CliError(
    'damaged',
    `${file} is damaged: restore this file, and no other, from a backup; without it the keys cannot be opened`,
  );
}

/** Written under another name and synced, then renamed: the file is the old one or the new one, whenever the process ends. */
function writeHeader(file: string, header: Header, random: RandomBytes): void {
  const draft = `${file}.${encodeBase64url(random(6))}`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(header, undefined, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, file);
  // Keys that an account was made with must not go in a power cut.
  syncFolder(dirname(file));
}
