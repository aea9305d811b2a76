/**
 * MD5 (RFC 1321), for HTTP Digest with clients that know nothing newer. Not a part of the port: nothing else may come to depend on it.
 */
import { md5 as nobleMd5 } from '@noble/hashes/legacy.js';

/** 16 bytes. Broken as a hash: good for nothing but a protocol that demands it. */
export function md5(data: Uint8Array): Uint8Array {
  return nobleMd5(data);
}
