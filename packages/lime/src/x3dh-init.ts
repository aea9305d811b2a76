/** The X3DH init: what the initiator repeats in every message until the first answer (lime-protocol section 6.4). Layout only. */
import type { LimeSuite } from '@sealwire/crypto/port';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { PeerDhKey } from './dh-keys.ts';
import { PeerIdentity } from './identity-keys.ts';

const WITHOUT_ONE_TIME_PREKEY = 0;
const WITH_ONE_TIME_PREKEY = 1;

export interface X3dhInit {
  readonly identityKey: PeerIdentity;
  readonly ephemeralKey: PeerDhKey;
  readonly signedPrekeyId: number;
  readonly oneTimePrekeyId: number | undefined;
}

/** u8 flag | Ik[ed] | Ek[x] | u32 SPk id | [u32 OPk id]. The keys are the initiator's own public ones. */
export function encodeX3dhInit(init: {
  readonly identityKey: Uint8Array;
  readonly ephemeralKey: Uint8Array;
  readonly signedPrekeyId: number;
  readonly oneTimePrekeyId: number | undefined;
}): Uint8Array {
  const { identityKey, ephemeralKey, signedPrekeyId, oneTimePrekeyId } = init;
  const withOneTimePrekey = oneTimePrekeyId !== undefined;
  const writer = new ByteWriter(1 + identityKey.length + ephemeralKey.length + (withOneTimePrekey ? 8 : 4))
    .u8(withOneTimePrekey ? WITH_ONE_TIME_PREKEY : WITHOUT_ONE_TIME_PREKEY)
    .bytes(identityKey)
    .bytes(ephemeralKey)
    .u32(signedPrekeyId);
  if (withOneTimePrekey) writer.u32(oneTimePrekeyId);
  return writer.finish();
}

export function decodeX3dhInit(reader: ByteReader, curve: LimeSuite): X3dhInit {
  const flag = reader.u8();
  if (flag !== WITHOUT_ONE_TIME_PREKEY && flag !== WITH_ONE_TIME_PREKEY) reader.fail('unknown one-time prekey flag');
  return {
    identityKey: new PeerIdentity(reader.bytes(curve.signatures.publicKeyLength)),
    ephemeralKey: new PeerDhKey(reader.bytes(curve.dh.keyLength)),
    signedPrekeyId: reader.u32(),
    oneTimePrekeyId: flag === WITH_ONE_TIME_PREKEY ? reader.u32() : undefined,
  };
}
