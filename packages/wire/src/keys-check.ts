/**
 * What a device asks its directory once a day: "do you hold the keys that I believe you hold?" (docs/spec/lime-key-server.md section 5).
 * Three digests a suite instead of the keys: the answer then says which part differs, and a request stays small.
 *
 *   digest = SHA-256( "sealwire/keys-check/v1" | 00 | u8 suite id | u8 part | content ), numbers big endian
 *   part 1, identity key       Ik
 *   part 2, signed prekey      u32 id | SPk | signature
 *   part 3, one-time prekeys   u16 n | n × u32 id, ascending
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { BigEndianWriter } from './big-endian.ts';
import { LIME_SUITES, type LimeSignedPrekey, type ServedSuite } from './lime-server.ts';

/** What one side holds of a (device, suite). */
export interface DirectoryKeys {
  readonly identityKey: Uint8Array;
  readonly signedPrekey: LimeSignedPrekey;
  /** Ids of the one-time prekeys not handed out yet, in any order. */
  readonly oneTimePrekeyIds: readonly number[];
}

/** SHA-256 each, 32 bytes. */
export interface KeysDigests {
  readonly identityKey: Uint8Array;
  readonly signedPrekey: Uint8Array;
  readonly oneTimePrekeys: Uint8Array;
}

export type KeysPart = keyof KeysDigests;

/** By part number: in the order in which answers name them. */
export const KEYS_PARTS: Readonly<Record<KeysPart, number>> = { identityKey: 1, signedPrekey: 2, oneTimePrekeys: 3 };

const PREFIX = new TextEncoder().encode('sealwire/keys-check/v1\0');

/** The three digests of what is held of `suite`, to compare bytewise: nothing in them is secret. */
export function keysDigests(
  crypto: Pick<CryptoProvider, 'sha256'>,
  suite: ServedSuite,
  keys: DirectoryKeys,
): KeysDigests {
  const { identityKey, signedPrekey, oneTimePrekeyIds } = keys;
  const begin = (part: KeysPart) => new BigEndianWriter().raw(PREFIX).u8(LIME_SUITES[suite].id).u8(KEYS_PARTS[part]);
  const oneTime = begin('oneTimePrekeys').u16(oneTimePrekeyIds.length);
  for (const id of [...oneTimePrekeyIds].sort((a, b) => a - b)) oneTime.u32(id);
  const { id, publicKey, signature } = signedPrekey;
  return {
    identityKey: crypto.sha256(begin('identityKey').raw(identityKey).finish()),
    signedPrekey: crypto.sha256(begin('signedPrekey').u32(id).raw(publicKey).raw(signature).finish()),
    oneTimePrekeys: crypto.sha256(oneTime.finish()),
  };
}
