/**
 * What tells a repeat from a conflict (delivery, "idempotent send"): 8 bytes of a Send frame's length and checksum.
 * Not cryptographic, and need not be: who makes two frames of one id and one digest can only withhold a message of their own.
 * SHA-256 of a kilobyte costs as much as the rest of the frame's way through this process.
 */
import { crc32 } from 'node:zlib';

export function contentDigest(frame: Uint8Array): Uint8Array {
  const digest = Buffer.allocUnsafe(8);
  digest.writeUInt32BE(frame.length, 0);
  digest.writeUInt32BE(crc32(frame), 4);
  return digest;
}
