/**
 * A session as one flat record (docs/spec/lime.md, section "Records"). Layout only; a known-answer test freezes it.
 *
 *   u8 version | u8 curve id | u8 flags | u48 stale since (0: active) | Ek[x] | SharedAD[32] | RK[32] | u16 Ns | u16 PN | u16 Nr
 *   | [DHs private[x] | public[x]] | [DHr[x]] | [CKs[32]] | [CKr[32]] | [u16 length | X3DH init] | u16 length | past chains
 *   | u16 n | n × ( peer key[x] | u16 later | u16 count | count × ( u16 N | MK[48] ) )
 *
 * Version 1 in classical suites; 2 in hybrid ones, where the KEM state follows (kem-record.ts).
 */
import type { CryptoProvider, LimeSuite } from '@sealwire/crypto/port';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { OwnDhKey, PeerDhKey } from '../keys/dh-keys.ts';
import { CHAIN_KEY_BYTES, ChainKey } from '../ratchet/chain-key.ts';
import { PAST_CHAIN_BYTES } from '../ratchet/past-chains.ts';
import type { RatchetState } from '../ratchet/ratchet.ts';
import { ROOT_KEY_BYTES, RootKey } from '../ratchet/root-key.ts';
import { SKIPPED_ENTRY_BYTES, SkippedChain } from '../ratchet/skipped-keys.ts';
import { kemStateBytes, readKemState, writeKemState } from './kem-record.ts';
import { readSuite, versionOf } from './record-suite.ts';

/** A ratchet between a local and a peer device, and what tells it from the others (lime-protocol section 9). */
export interface Session {
  /** Who sent the X3DH init. Both, in a session with oneself, live side by side. */
  readonly role: 'initiator' | 'responder';
  /** Ek of the initiator: unique per session, and repeated in every message until the first answer. */
  readonly ephemeralKey: Uint8Array;
  /** When another session took over, in ms; undefined while active. */
  readonly staleSince: number | undefined;
  readonly ratchet: RatchetState;
}

const SHARED_DATA_BYTES = 32;
const FLAG = { responder: 1, own: 2, peer: 4, sendingChain: 8, receivingChain: 16, init: 32 } as const;
const KNOWN_FLAGS = 63;

export function encodeSession(crypto: CryptoProvider, session: Session): Uint8Array {
  const { ratchet } = session;
  const suite = crypto.suites[ratchet.suite];
  const writer = new ByteWriter(sizeOf(suite, ratchet))
    .u8(versionOf(suite))
    .u8(suite.id)
    .u8(flagsOf(session))
    .time(session.staleSince ?? 0)
    .bytes(session.ephemeralKey)
    .bytes(ratchet.sharedData)
    .bytes(ratchet.rootKey.reveal())
    .u16(ratchet.sent)
    .u16(ratchet.previousSent)
    .u16(ratchet.received);
  if (ratchet.own) writer.bytes(ratchet.own.reveal()).bytes(ratchet.own.publicKey);
  if (ratchet.peer) writer.bytes(ratchet.peer.bytes);
  if (ratchet.sendingChain) writer.bytes(ratchet.sendingChain.reveal());
  if (ratchet.receivingChain) writer.bytes(ratchet.receivingChain.reveal());
  if (ratchet.init) writer.field(ratchet.init);
  writer.field(ratchet.pastChains).u16(ratchet.skipped.length);
  for (const chain of ratchet.skipped) {
    writer.bytes(chain.peerKey).u16(chain.later).u16(chain.count).bytes(chain.reveal());
  }
  if (ratchet.kem) writeKemState(writer, ratchet.kem);
  return writer.finish();
}

/** Throws LimeError `corrupt-record`. */
export function decodeSession(crypto: CryptoProvider, record: Uint8Array): Session {
  const reader = new ByteReader(record, 'corrupt-record', 'session record');
  const suite = readSuite(crypto, reader);
  const { keyLength } = suite.dh;
  const flags = reader.u8();
  if ((flags & ~KNOWN_FLAGS) !== 0) reader.fail('unknown flags');
  const when = (flag: keyof typeof FLAG) => (flags & FLAG[flag]) !== 0;
  const staleSince = reader.time() || undefined;
  const ephemeralKey = reader.bytes(keyLength);
  const ratchet: RatchetState = {
    suite: suite.name,
    sharedData: reader.bytes(SHARED_DATA_BYTES),
    rootKey: new RootKey(reader.bytes(ROOT_KEY_BYTES)),
    sent: reader.u16(),
    previousSent: reader.u16(),
    received: reader.u16(),
    own: when('own') ? new OwnDhKey(reader.bytes(keyLength), reader.bytes(keyLength)) : undefined,
    peer: when('peer') ? new PeerDhKey(reader.bytes(keyLength)) : undefined,
    sendingChain: when('sendingChain') ? new ChainKey(reader.bytes(CHAIN_KEY_BYTES)) : undefined,
    receivingChain: when('receivingChain') ? new ChainKey(reader.bytes(CHAIN_KEY_BYTES)) : undefined,
    init: when('init') ? reader.field() : undefined,
    pastChains: pastChainsOf(reader),
    skipped: Array.from({ length: reader.u16() }, () => skippedChainOf(reader, keyLength)),
    kem: suite.kem && readKemState(reader, suite.kem),
  };
  reader.end();
  return { role: when('responder') ? 'responder' : 'initiator', ephemeralKey, staleSince, ratchet };
}

function pastChainsOf(reader: ByteReader): Uint8Array {
  const past = reader.field();
  return past.length % PAST_CHAIN_BYTES === 0 ? past : reader.fail('broken list of past chains');
}

function skippedChainOf(reader: ByteReader, keyLength: number): SkippedChain {
  const peerKey = reader.bytes(keyLength);
  const later = reader.u16();
  const count = reader.u16();
  if (count === 0) reader.fail('empty skipped chain');
  return new SkippedChain(peerKey, later, reader.bytes(count * SKIPPED_ENTRY_BYTES));
}

function flagsOf({ role, ratchet }: Session): number {
  return (
    (role === 'responder' ? FLAG.responder : 0) |
    (ratchet.own ? FLAG.own : 0) |
    (ratchet.peer ? FLAG.peer : 0) |
    (ratchet.sendingChain ? FLAG.sendingChain : 0) |
    (ratchet.receivingChain ? FLAG.receivingChain : 0) |
    (ratchet.init ? FLAG.init : 0)
  );
}

function sizeOf(suite: LimeSuite, ratchet: RatchetState): number {
  const { keyLength } = suite.dh;
  const fixed = 3 + 6 + keyLength + SHARED_DATA_BYTES + ROOT_KEY_BYTES + 3 * 2;
  const optional =
    (ratchet.own ? 2 * keyLength : 0) +
    (ratchet.peer ? keyLength : 0) +
    (ratchet.sendingChain ? CHAIN_KEY_BYTES : 0) +
    (ratchet.receivingChain ? CHAIN_KEY_BYTES : 0) +
    (ratchet.init ? 2 + ratchet.init.length : 0);
  const skipped = ratchet.skipped.reduce((sum, chain) => sum + keyLength + 4 + chain.reveal().length, 0);
  return (
    fixed + optional + 2 + ratchet.pastChains.length + 2 + skipped + (ratchet.kem ? kemStateBytes(ratchet.kem) : 0)
  );
}
