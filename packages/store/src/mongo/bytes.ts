/** Bytes on their way into documents and out of them, and the hashes that make identities of one length. */
import { nodeCrypto } from '@sealwire/crypto/node';
import { systemRandom } from '@sealwire/crypto/random';
import type { DeviceId } from '@sealwire/wire/ids';

const { sha256 } = nodeCrypto();
const utf8 = new TextEncoder();

/** For a document: the driver takes buffers. */
export function bin(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

/** For a caller, whose own it is. */
export function bytesOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer);
}

/** The first `length` bytes of SHA-256. */
export function hashOf(data: Uint8Array | string, length: number): Buffer {
  return Buffer.from(sha256(typeof data === 'string' ? utf8.encode(data) : data).slice(0, length));
}

/**
 * Of a one-time key: tells a repeat of an upload from other bytes under its id; nobody gains by a collision but who made both keys.
 */
export const DIGEST_LENGTH = 16;
/** Of the name of what may happen once. */
export const ONCE_LENGTH = 32;

/** Names one attempt: what carries it was written by that attempt and no other. */
export function freshToken(): Buffer {
  return Buffer.from(systemRandom(12));
}

export const BOX_LENGTH = 16;

/** The mailbox of a device: 16 bytes, so that numbers in it are ranges of `_id`. */
export function boxOf(device: DeviceId): Buffer {
  return hashOf(device, BOX_LENGTH);
}

/** No mailbox comes so far: numbers have six bytes. */
export const LAST_SEQ = 2 ** 48 - 1;

/** Mailbox and number, big-endian: bytes of one length sort as the numbers do. */
export function mailId(box: Buffer, seq: number): Buffer {
  const id = Buffer.allocUnsafe(BOX_LENGTH + 8);
  box.copy(id);
  id.writeUInt16BE(0, BOX_LENGTH);
  id.writeUIntBE(seq, BOX_LENGTH + 2, 6);
  return id;
}

export function seqOf(mail: Buffer): number {
  return mail.readUIntBE(BOX_LENGTH + 2, 6);
}

/** A message as its sender names it: 16 bytes of the sender's hash and the 16 of its id. */
export function acceptedKey(sender: DeviceId, id: Uint8Array): Buffer {
  return Buffer.concat([hashOf(sender, 16), id]);
}

export function accountTag(account: string): Buffer {
  return hashOf(account, 8);
}
