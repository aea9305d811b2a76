/**
 * A peer device as a record. Layout only; a known-answer test freezes it.
 *
 *   u8 version = 1 | u8 reserved | u16 length | Ik | u8 n | n × u32 SPk id, the newest first
 *
 * The reserved byte once held a trust status: it is written as 0 and ignored.
 */
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';

const VERSION = 1;

/** What is remembered of a peer device. */
export interface Peer {
  /** It must not change while it is remembered (lime-protocol section 11). */
  readonly identityKey: Uint8Array;
  /** Signed prekeys that sessions were started with, the newest first: none that was replaced comes back. */
  readonly signedPrekeyIds: readonly number[];
}

const RESERVED = 0;

export function encodePeer({ identityKey, signedPrekeyIds }: Peer): Uint8Array {
  const writer = new ByteWriter(2 + 2 + identityKey.length + 1 + 4 * signedPrekeyIds.length)
    .u8(VERSION)
    .u8(RESERVED)
    .field(identityKey)
    .u8(signedPrekeyIds.length);
  for (const id of signedPrekeyIds) writer.u32(id);
  return writer.finish();
}

/** Throws LimeError `corrupt-record`. */
export function decodePeer(record: Uint8Array): Peer {
  const reader = new ByteReader(record, 'corrupt-record', 'peer record');
  if (reader.u8() !== VERSION) reader.fail('unknown version');
  reader.u8();
  const identityKey = reader.field();
  const signedPrekeyIds = Array.from({ length: reader.u8() }, () => reader.u32());
  reader.end();
  return { identityKey, signedPrekeyIds };
}
