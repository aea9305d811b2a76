/**
 * The KEM state of a session, at the end of its record. Layout only; a known-answer test freezes it.
 *
 *   u8 flags | u48 last KEM step of the peer | u32 messages since | [own seed[64] | own public key]
 *   | [announced public key | ciphertext] | [own index[12]] | [peer's public key] | [peer's index[12]]
 *   flags: 01 own key, 02 announced, 04 own index, 08 peer's key, 10 peer's index, 20 forced
 */
import type { Kem } from '@sealwire/crypto/port';
import type { ByteReader } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import { KEM_INDEX_BYTES, OwnKemKey } from '../keys/kem-keys.ts';
import type { KemState } from '../ratchet/kem-ratchet.ts';

const FLAG = { own: 1, announced: 2, ownIndex: 4, peerKey: 8, peerIndex: 16, forced: 32 } as const;
const KNOWN_FLAGS = 63;

export function kemStateBytes({ own, announced, ownIndex, peerKey, peerIndex }: KemState): number {
  const parts = [
    own?.reveal(),
    own?.publicKey,
    announced?.publicKey,
    announced?.ciphertext,
    ownIndex,
    peerKey,
    peerIndex,
  ];
  return parts.reduce((sum, part) => sum + (part?.length ?? 0), 1 + 6 + 4);
}

export function writeKemState(writer: ByteWriter, state: KemState): void {
  const { own, announced, ownIndex, peerKey, peerIndex } = state;
  writer.u8(flagsOf(state)).time(state.steppedAt).u32(state.messages);
  if (own) writer.bytes(own.reveal()).bytes(own.publicKey);
  if (announced) writer.bytes(announced.publicKey).bytes(announced.ciphertext);
  if (ownIndex) writer.bytes(ownIndex);
  if (peerKey) writer.bytes(peerKey);
  if (peerIndex) writer.bytes(peerIndex);
}

export function readKemState(reader: ByteReader, kem: Kem): KemState {
  const flags = reader.u8();
  if ((flags & ~KNOWN_FLAGS) !== 0) reader.fail('unknown KEM flags');
  const when = (flag: keyof typeof FLAG) => (flags & FLAG[flag]) !== 0;
  return {
    steppedAt: reader.time(),
    messages: reader.u32(),
    own: when('own') ? new OwnKemKey(reader.bytes(kem.seedLength), reader.bytes(kem.publicKeyLength)) : undefined,
    announced: when('announced')
      ? { publicKey: reader.bytes(kem.publicKeyLength), ciphertext: reader.bytes(kem.ciphertextLength) }
      : undefined,
    ownIndex: when('ownIndex') ? reader.bytes(KEM_INDEX_BYTES) : undefined,
    peerKey: when('peerKey') ? reader.bytes(kem.publicKeyLength) : undefined,
    peerIndex: when('peerIndex') ? reader.bytes(KEM_INDEX_BYTES) : undefined,
    forced: when('forced'),
  };
}

function flagsOf(state: KemState): number {
  const has = { ...state, forced: state.forced || undefined };
  return (Object.keys(FLAG) as (keyof typeof FLAG)[]).reduce(
    (flags, name) => flags | (has[name] === undefined ? 0 : FLAG[name]),
    0,
  );
}
