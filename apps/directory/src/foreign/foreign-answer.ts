/** What is believed of another directory's answer: exactly the devices asked for, with keys that may be stored, and signatures that hold. */
import type { LimeSuite } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { LIME_SUITES, type LimeBundle, type LimePeer, type ServedSuite } from '@sealwire/wire/lime-server';

const MAX_KEY_ID = 0x7fff_ffff;

/** Whether the answer names these devices and no others, in this order. */
export function areBundlesOf(peers: readonly LimePeer[], devices: readonly DeviceId[]): boolean {
  return peers.length === devices.length && peers.every(({ device }, i) => device === devices[i]);
}

/** What our own door demands of a registration: a bad bundle would make a LIME client's whole group encryption fail. */
export function isGoodBundle(
  suite: Pick<LimeSuite, 'signatures' | 'isValidPrekey'>,
  { identityKey, signedPrekey, oneTimePrekey }: LimeBundle,
): boolean {
  const { id, publicKey, signature } = signedPrekey;
  if (id > MAX_KEY_ID || !suite.signatures.isValidPublicKey(identityKey) || !suite.isValidPrekey(publicKey))
    return false;
  if (!suite.signatures.verify(identityKey, publicKey, signature)) return false;
  if (!oneTimePrekey) return true;
  return oneTimePrekey.id >= 1 && oneTimePrekey.id <= MAX_KEY_ID && suite.isValidPrekey(oneTimePrekey.publicKey);
}

/** Bytes of an answer in which every device has a bundle with a one-time prekey; an error message fits too. */
export function largestAnswer(suite: ServedSuite, devices: readonly DeviceId[]): number {
  const { x, ed, signature } = LIME_SUITES[suite];
  const bundle = 2 + 1 + ed + x + 4 + signature + x + 4;
  return 1024 + devices.reduce((sum, device) => sum + Buffer.byteLength(device) + bundle, 0);
}
