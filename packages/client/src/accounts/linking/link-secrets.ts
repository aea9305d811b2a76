/**
 * What two devices that link come to share (docs/spec/linking.md section 4): a key for each direction, used once, and the two digits by
 * which their user sees that nobody is between them.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { AccountAddress } from '@sealwire/wire/ids';

const text = (value: string) => new TextEncoder().encode(value);
const PROTOCOL = text('sealwire/link/v1');
const COMMITMENT = text('sealwire/link/commitment/v1\0');
const SECRETS = text('sealwire/link/secrets/v1');
const KEY_BYTES = 32;
const DIGITS_BYTES = 8;
/** Each key seals one message. */
const NONCE = new Uint8Array(12);
const AD = { entry: text('sealwire/link/entry/v1'), welcome: text('sealwire/link/welcome/v1') } as const;

export interface LinkTranscript {
  /** The account as each side knows it. */
  readonly address: AccountAddress;
  /** Of the channel. */
  readonly id: Uint8Array;
  /** Of the link code. */
  readonly newKey: Uint8Array;
  readonly commitment: Uint8Array;
  readonly nonce: Uint8Array;
  readonly oldKey: Uint8Array;
  readonly salt: Uint8Array;
}

export interface LinkSecrets {
  /** Two, with a zero before a single one. */
  readonly digits: string;
  seal(what: keyof typeof AD, message: Uint8Array): Uint8Array;
  /** Throws `CryptoError`. */
  open(what: keyof typeof AD, sealed: Uint8Array): Uint8Array;
}

/** By which the old device binds itself to its key before it sees the new one's nonce. */
export function commitmentTo(crypto: CryptoProvider, oldKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return crypto.sha256(Uint8Array.from([...COMMITMENT, ...oldKey, ...salt]));
}

/** `shared`: X25519 of the two keys. */
export function linkSecrets(crypto: CryptoProvider, shared: Uint8Array, transcript: LinkTranscript): LinkSecrets {
  const { address, id, newKey, commitment, nonce, oldKey, salt } = transcript;
  const parts = [PROTOCOL, text(`\0${address}\0`), id, newKey, commitment, nonce, oldKey, salt];
  const digest = crypto.sha256(Uint8Array.from(parts.flatMap((part) => [...part])));
  const all = crypto.hkdfSha512(digest, shared, SECRETS, 2 * KEY_BYTES + DIGITS_BYTES);
  const keys = { entry: all.slice(0, KEY_BYTES), welcome: all.slice(KEY_BYTES, 2 * KEY_BYTES) };
  const number = new DataView(all.buffer, all.byteOffset + 2 * KEY_BYTES).getBigUint64(0) % 100n;
  return {
    digits: String(number).padStart(2, '0'),
    seal: (what, message) => crypto.aes256gcm.seal(keys[what], NONCE, message, AD[what]),
    open: (what, sealed) => crypto.aes256gcm.open(keys[what], NONCE, sealed, AD[what]),
  };
}
