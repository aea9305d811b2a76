/** Accounts whose devices have no SDK: made with one device, then listed with all (docs/spec/manifest.md). */
import { encodeBase64url } from '@sealwire/wire/base64url';
import { WellKnown } from '@sealwire/wire/http';
import { addressOf, type DeviceId, nameOf, parseAccountName, parseDeviceId } from '@sealwire/wire/ids';
import {
  encodeManifest,
  type ManifestDevice,
  manifestHash,
  manifestSigningInput,
  noPreviousManifest,
} from '@sealwire/wire/manifest';
import { type Calling, call, json } from './calls.ts';

/** On which every light device has its identity. */
export const LIGHT_SUITE = 'c25519';

const SEED_BYTES = 32;

/** What makes anybody this device. Seeds are those of Ed25519, 32 bytes. */
export interface LightIdentity {
  readonly id: DeviceId;
  readonly loginSeed: Uint8Array;
  /** Of its LIME identity on Curve25519. */
  readonly identitySeed: Uint8Array;
}

/** URL of the sockets of a server. Rejects as `call` does, and with a `ZodError` for what is no Sealwire server. */
export async function relayOf(calling: Calling): Promise<string> {
  const { relay } = WellKnown.parse(await (await call(calling, '/.well-known/sealwire')).json());
  return new URL(relay, calling.server.replace(/^http/, 'ws')).href;
}

/** An account named `name` with `devices` devices, 1 to 10. Rejects with `Refused`. */
export async function makeLightAccount(
  calling: Calling,
  name: string,
  devices: number,
  invitation?: string,
): Promise<LightIdentity[]> {
  const { crypto, random, now } = calling.runtime;
  const { domain } = WellKnown.parse(await (await call(calling, '/.well-known/sealwire')).json());
  const address = addressOf(parseAccountName(name), domain);
  const addedAt = now();
  const made = Array.from({ length: devices }, (_, i) => {
    const id = parseDeviceId(`${address};gr=urn:uuid:00000000-0000-4000-8000-${String(i).padStart(12, '0')}`);
    const identity: LightIdentity = { id, loginSeed: random(SEED_BYTES), identitySeed: random(SEED_BYTES) };
    const entry: ManifestDevice = {
      id,
      identities: [{ suite: LIGHT_SUITE, identityKey: crypto.ed25519.publicKey(identity.identitySeed) }],
      loginKey: crypto.ed25519.publicKey(identity.loginSeed),
      addedAt,
    };
    return { identity, entry };
  });
  const accountSeed = random(SEED_BYTES);
  const signed = (version: number, previous: Uint8Array, listed: readonly ManifestDevice[]) => {
    const bytes = encodeManifest({ address, version, previous, issuedAt: addedAt, devices: listed });
    const signature = crypto.ed25519.sign(accountSeed, manifestSigningInput(bytes));
    return { bytes, body: { manifest: encodeBase64url(bytes), signature: encodeBase64url(signature) } };
  };
  const first = signed(1, noPreviousManifest(), [made[0]!.entry]);
  const accountKey = encodeBase64url(crypto.ed25519.publicKey(accountSeed));
  const account = { name, accountKey, manifest: first.body, ...(invitation ? { invitation } : {}) };
  await call(calling, '/v1/accounts', json('POST', account));
  if (devices > 1) {
    const entries = made.map(({ entry }) => entry);
    const all = signed(2, manifestHash(crypto, first.bytes), entries);
    await call(calling, `/directory/manifests/${nameOf(address)}`, json('PUT', all.body));
  }
  return made.map(({ identity }) => identity);
}
