/** For tests: a person with real keys, who makes manifests and answers login challenges like a client. */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { type AccountAddress, type DeviceId, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { loginMessage } from '@sealwire/wire/login';
import { encodeManifest, type Manifest, manifestSigningInput, noPreviousManifest } from '@sealwire/wire/manifest';

export interface Person {
  readonly name: string;
  readonly address: AccountAddress;
  readonly device: DeviceId;
  /** `POST /v1/accounts`, with changes to the manifest before it is signed. */
  creation(change?: Partial<Manifest>): {
    name: string;
    accountKey: string;
    manifest: { manifest: string; signature: string };
    invitation?: string;
  };
  /** `POST /v1/login/token` */
  answer(origin: string, challenge: string): { device: DeviceId; challenge: string; signature: string };
  /** The private half of what logs in. */
  readonly loginSeed: Uint8Array;
  readonly accountSeed: Uint8Array;
  readonly loginKey: Uint8Array;
}

/** Keys are hashes of the name and a label: the same person in every run. */
export function person(crypto: CryptoProvider, name: string, label = 'first'): Person {
  const seed = (purpose: string) => crypto.sha256(new TextEncoder().encode(`${name}/${label}/${purpose}`));
  const address = parseAccountAddress(`sip:${name}@example.org`);
  const device = parseDeviceId(`${address};gr=urn:uuid:${Buffer.from(seed('id')).toString('hex').slice(0, 32)}`);
  const accountSeed = seed('account');
  const loginSeed = seed('login');
  const loginKey = crypto.ed25519.publicKey(loginSeed);
  const accountKey = crypto.ed25519.publicKey(accountSeed);
  const identityKey = crypto.suites.c25519.signatures.publicKey(seed('identity'));
  const manifest: Manifest = {
    address,
    version: 1,
    previous: noPreviousManifest(),
    issuedAt: 1_800_000_000_000,
    devices: [{ id: device, identities: [{ suite: 'c25519', identityKey }], loginKey, addedAt: 1_800_000_000_000 }],
  };
  return {
    name,
    address,
    device,
    accountSeed,
    loginSeed,
    loginKey,
    creation(change = {}) {
      const bytes = encodeManifest({ ...manifest, ...change });
      const signature = crypto.ed25519.sign(accountSeed, manifestSigningInput(bytes));
      return {
        name,
        accountKey: encodeBase64url(accountKey),
        manifest: { manifest: encodeBase64url(bytes), signature: encodeBase64url(signature) },
      };
    },
    answer(origin, challenge) {
      const signature = crypto.ed25519.sign(loginSeed, loginMessage(origin, device, challenge));
      return { device, challenge, signature: encodeBase64url(signature) };
    },
  };
}
