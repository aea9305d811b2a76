/** The X3DH init: what the initiator repeats in every message until the first answer (lime-protocol section 6.4). Layout only. */
import type { LimeSuite } from '@sealwire/crypto/port';
import type { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { PeerDhKey } from '../keys/dh-keys.ts';
import { PeerIdentity } from '../keys/identity-keys.ts';

const WITHOUT_ONE_TIME_PREKEY = 0;
const WITH_ONE_TIME_PREKEY = 1;
const NO_CIPHERTEXT = new Uint8Array(0);

export interface X3dhInit {
  readonly identityKey: PeerIdentity;
  readonly ephemeralKey: PeerDhKey;
  /** In hybrid suites: encapsulated to the one-time prekey, or to the signed one where there is no one-time prekey. */
  readonly ciphertext: Uint8Array | undefined;
  readonly signedPrekeyId: number;
  readonly oneTimePrekeyId: number | undefined;
}

/** u8 flag | Ik[ed] | Ek[x] | [KEM ciphertext] | u32 SPk id | [u32 OPk id]. The keys are the initiator's own public ones. */
export function encodeX3dhInit(init: {
  readonly identityKey: Uint8Array;
  readonly ephemeralKey: Uint8Array;
  readonly ciphertext?: Uint8Array | undefined;
  readonly signedPrekeyId: number;
  readonly oneTimePrekeyId: number | undefined;
}): Uint8Array {
  const { identityKey, ephemeralKey, ciphertext = NO_CIPHERTEXT, signedPrekeyId, oneTimePrekeyId } = init;
  const withOneTimePrekey = oneTimePrekeyId !== undefined;
  const writer = new ByteWriter(
    1 + identityKey.length + ephemeralKey.length + ciphertext.length + (withOneTimePrekey ? 8 : 4),
  )
    .u8(withOneTimePrekey ? WITH_ONE_TIME_PREKEY : WITHOUT_ONE_TIME_PREKEY)
    .bytes(identityKey)
    .bytes(ephemeralKey)
    .bytes(ciphertext)
    .u32(signedPrekeyId);
  if (withOneTimePrekey) writer.u32(oneTimePrekeyId);
  return writer.finish();
}

export function decodeX3dhInit(reader: ByteReader, suite: LimeSuite): X3dhInit {
  const flag = reader.u8();
  if (flag !== WITHOUT_ONE_TIME_PREKEY && flag !== WITH_ONE_TIME_PREKEY) reader.fail('unknown one-time prekey flag');
  return {
    identityKey: new PeerIdentity(reader.bytes(suite.signatures.publicKeyLength)),
    ephemeralKey: new PeerDhKey(reader.bytes(suite.dh.keyLength)),
    ciphertext: suite.kem && reader.bytes(suite.kem.ciphertextLength),
    signedPrekeyId: reader.u32(),
    oneTimePrekeyId: flag === WITH_ONE_TIME_PREKEY ? reader.u32() : undefined,
  };
}
