/**
 * A peer device as a record. Layout only; a known-answer test freezes it.
 *
 *   u8 version = 1 | u8 status | u16 length | Ik (empty: not known yet) | u8 n | n × u32 SPk id, the newest first
 */
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Peer } from '../devices/trust.ts';

const VERSION = 1;
const STATUSES = ['untrusted', 'trusted', 'unsafe'] as const;

export function encodePeer(peer: Peer): Uint8Array {
  const identityKey = peer.identityKey ?? new Uint8Array(0);
  const writer = new ByteWriter(2 + 2 + identityKey.length + 1 + 4 * peer.signedPrekeyIds.length)
    .u8(VERSION)
    .u8(STATUSES.indexOf(peer.status))
    .field(identityKey)
    .u8(peer.signedPrekeyIds.length);
  for (const id of peer.signedPrekeyIds) writer.u32(id);
  return writer.finish();
}

/** Throws LimeError `corrupt-record`. */
export function decodePeer(record: Uint8Array): Peer {
  const reader = new ByteReader(record, 'corrupt-record', 'peer record');
  if (reader.u8() !== VERSION) reader.fail('unknown version');
  const status = STATUSES[reader.u8()] ?? reader.fail('unknown status');
  const identityKey = reader.field();
  const signedPrekeyIds = Array.from({ length: reader.u8() }, () => reader.u32());
  reader.end();
  return { status, identityKey: identityKey.length > 0 ? identityKey : undefined, signedPrekeyIds };
}
