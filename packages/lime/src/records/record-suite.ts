/** How a record says what it is: `u8 version | u8 curve id`. */
import type { CryptoProvider, LimeSuite } from '@sealwire/crypto/port';
import type { ByteReader } from '../bytes/byte-reader.ts';

/** Version 1 is frozen. Hybrid suites began with 2, so that a record of theirs never passes for one of version 1. */
export function versionOf(suite: LimeSuite): number {
  return suite.kem ? 2 : 1;
}

/** Throws the reader's error for another version, an unknown suite, or a suite that this version does not have. */
export function readSuite(crypto: CryptoProvider, reader: ByteReader): LimeSuite {
  const version = reader.u8();
  const id = reader.u8();
  const suite = Object.values(crypto.suites).find((each) => each.id === id) ?? reader.fail('unknown suite');
  return version === versionOf(suite) ? suite : reader.fail('unknown version');
}
