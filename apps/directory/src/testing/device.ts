/** For tests: a device with real keys on every suite, known to a store, speaking LIME requests. */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { Store } from '@sealwire/store/port';
import { type AccountAddress, type DeviceId, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import {
  keyFormOf,
  type LimeOneTimePrekey,
  type LimeRequest,
  type LimeSignedPrekey,
  type ServedSuite,
  SUITE_NAMES,
} from '@sealwire/wire/lime-server';
import {
  encodeManifest,
  type Manifest,
  type ManifestDevice,
  manifestHash,
  manifestSigningInput,
  noPreviousManifest,
} from '@sealwire/wire/manifest';

export interface TestDevice {
  readonly name: string;
  readonly address: AccountAddress;
  readonly id: DeviceId;
  readonly listed: ManifestDevice;
  readonly accountKey: Uint8Array;
  readonly loginSeed: Uint8Array;
  identitySeed(suite: ServedSuite): Uint8Array;
  identityKey(suite: ServedSuite): Uint8Array;
  /** `version` distinguishes rotations. */
  signedPrekey(suite: ServedSuite, version?: number): LimeSignedPrekey;
  oneTime(suite: ServedSuite, ...ids: number[]): LimeOneTimePrekey[];
  registration(suite: ServedSuite, ...oneTimeIds: number[]): LimeRequest & { kind: 'registerUser' };
  /** Signed by the account key: the first version, or what follows `previous`. */
  manifest(devices?: readonly ManifestDevice[], previous?: Manifest, change?: Partial<Manifest>): SignedManifest;
}

export interface SignedManifest {
  readonly manifest: Manifest;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** Keys are hashes of the name and the label: the same device in every run. Devices of one name share the account key. */
export function testDevice(crypto: CryptoProvider, name: string, label = 'phone', domain = 'example.org'): TestDevice {
  const seed = (purpose: string, length = 32) =>
    crypto.sha512(Buffer.from(`${name}/${label}/${purpose}`)).slice(0, length);
  const address = parseAccountAddress(`sip:${name}@${domain}`);
  const id = parseDeviceId(`${address};gr=urn:uuid:${Buffer.from(seed('id', 16)).toString('hex')}`);
  const accountSeed = crypto.sha256(Buffer.from(`${name}/account`));
  const loginSeed = seed('login');
  const identitySeed = (suite: ServedSuite) =>
    seed(`identity ${suite}`, keyFormOf(crypto, suite).signatures.seedLength);
  const identityKey = (suite: ServedSuite) => keyFormOf(crypto, suite).signatures.publicKey(identitySeed(suite));
  const prekey = (suite: ServedSuite, purpose: string) => {
    const { dh, kem } = keyFormOf(crypto, suite);
    const publicKey = dh.publicKey(seed(`${suite} ${purpose}`, dh.keyLength));
    if (!kem) return publicKey;
    return Uint8Array.from([...publicKey, ...kem.publicKey(seed(`kem ${suite} ${purpose}`, kem.seedLength))]);
  };
  const listed: ManifestDevice = {
    id,
    identities: SUITE_NAMES.map((suite) => ({ suite, identityKey: identityKey(suite) })),
    loginKey: crypto.ed25519.publicKey(loginSeed),
    addedAt: 1_800_000_000_000,
  };
  const device: TestDevice = {
    name,
    address,
    id,
    listed,
    loginSeed,
    accountKey: crypto.ed25519.publicKey(accountSeed),
    identitySeed,
    identityKey,
    signedPrekey(suite, version = 1) {
      const publicKey = prekey(suite, `signed ${version}`);
      const signature = keyFormOf(crypto, suite).signatures.sign(identitySeed(suite), publicKey);
      return { id: 1000 + version, publicKey, signature };
    },
    oneTime: (suite, ...ids) => ids.map((id) => ({ id, publicKey: prekey(suite, `one-time ${id}`) })),
    registration: (suite, ...ids) => ({
      kind: 'registerUser',
      suite,
      identityKey: identityKey(suite),
      signedPrekey: device.signedPrekey(suite),
      oneTimePrekeys: device.oneTime(suite, ...ids),
    }),
    manifest(devices = [listed], previous, change = {}) {
      const manifest: Manifest = {
        address,
        version: (previous?.version ?? 0) + 1,
        previous: previous ? manifestHash(crypto, encodeManifest(previous)) : noPreviousManifest(),
        issuedAt: 1_800_000_000_000,
        devices,
        ...change,
      };
      const bytes = encodeManifest(manifest);
      return { manifest, bytes, signature: crypto.ed25519.sign(accountSeed, manifestSigningInput(bytes)) };
    },
  };
  return device;
}

/** How its owner names a device that waits: by what it registered, and without a login key. */
export function admitted({ id }: TestDevice, ...identities: ManifestDevice['identities']): ManifestDevice {
  return { id, identities, loginKey: new Uint8Array(0), addedAt: 1_800_000_000_000 };
}

/** As `POST /v1/accounts` does. */
export async function enrol(store: Store, device: TestDevice): Promise<SignedManifest> {
  const signed = device.manifest();
  const account = { address: device.address, accountKey: device.accountKey, createdAt: 1_800_000_000_000 };
  await store.accounts.create(account, { version: 1, ...signed }, [device.listed]);
  return signed;
}
