/**
 * Four characters that two people compare, as ZRTP has them (RFC 6189; docs/spec/verification.md section 4). Who accepts binds itself to
 * its key by a commitment before it sees the requester's: whoever is between the two has one guess in 2^20, and cannot try again unseen.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { joined } from '@sealwire/wire/joined';

export const SALT_BYTES = 16;
export const MAC_BYTES = 32;

/** Of ZRTP (RFC 6189 section 5.1.6): no two that look or sound alike. */
const ALPHABET = 'ybndrfg8ejkmcpqxot1uwisza345h769';
const CHARACTERS = 4;
const STRING_BYTES = 4;
const text = (value: string) => new TextEncoder().encode(value);
const COMMITMENT = text('sealwire/verify/commitment/v1\0');
const TRANSCRIPT = text('sealwire/verify/v1\0');
const SECRETS = text('sealwire/verify/secrets/v1');
const CONFIRMATION = text('sealwire/verify/mac/v1\0');

export type VerificationRole = 'requester' | 'accepter';

/** One side as a device knows it. Where the two devices disagree, so do the strings. */
export interface VerificationSide {
  readonly address: AccountAddress;
  readonly device: DeviceId;
  /** Ed25519, of the account. */
  readonly accountKey: Uint8Array;
  /** X25519, for this once. */
  readonly key: Uint8Array;
}

export interface VerificationTranscript {
  /** 16 bytes, of the dialogue. */
  readonly id: Uint8Array;
  readonly requester: VerificationSide;
  readonly accepter: VerificationSide;
  readonly commitment: Uint8Array;
  readonly salt: Uint8Array;
}

/** A list of devices that a side says is its newest. */
export interface StatedList {
  readonly version: number;
  /** SHA-256 of the manifest. */
  readonly digest: Uint8Array;
}

export interface ShortStringSecrets {
  /** Four characters. */
  readonly shortString: string;
  /** What the side of this role says when its user has compared: 32 bytes over both accounts' keys and the list of its devices. */
  confirmation(role: VerificationRole, list: StatedList): Uint8Array;
}

/** By which the accepter binds itself. `device`: its own. */
export function commitmentOf(
  crypto: CryptoProvider,
  id: Uint8Array,
  device: DeviceId,
  key: Uint8Array,
  salt: Uint8Array,
): Uint8Array {
  return crypto.sha256(joined([COMMITMENT, id, key, salt, text(device)]));
}

/** `shared`: X25519 of the two keys. */
export function shortStringSecrets(
  crypto: CryptoProvider,
  shared: Uint8Array,
  transcript: VerificationTranscript,
): ShortStringSecrets {
  const { id, requester, accepter, commitment, salt } = transcript;
  const sides = [requester, accepter].flatMap(({ address, device, accountKey, key }) => [
    counted(text(address)),
    counted(text(device)),
    accountKey,
    key,
  ]);
  const digest = crypto.sha256(joined([TRANSCRIPT, id, commitment, salt, ...sides]));
  const all = crypto.hkdfSha512(digest, shared, SECRETS, 2 * MAC_BYTES + STRING_BYTES);
  const keys = { requester: all.slice(0, MAC_BYTES), accepter: all.slice(MAC_BYTES, 2 * MAC_BYTES) };
  return {
    shortString: charactersOf(all.subarray(2 * MAC_BYTES)),
    confirmation(role, { version, digest: list }) {
      const number = new Uint8Array(8);
      new DataView(number.buffer).setBigUint64(0, BigInt(version));
      const input = joined([CONFIRMATION, text(`${role}\0`), digest, number, list]);
      return crypto.hmacSha512(keys[role], input).slice(0, MAC_BYTES);
    },
  };
}

/** The first 20 bits, five a character. */
function charactersOf(bytes: Uint8Array): string {
  const bits = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return Array.from({ length: CHARACTERS }, (_, index) => ALPHABET[(bits >>> (27 - 5 * index)) & 31]).join('');
}

/** With its length before it: no two lists of texts give the same bytes. */
function counted(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(2);
  new DataView(length.buffer).setUint16(0, bytes.length);
  return joined([length, bytes]);
}
