/**
 * The account manifest: the list of an account's devices, signed by the account key, versioned and hash-chained
 * (docs/spec/manifest.md). A device outside the newest manifest is never encrypted to.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { type AccountAddress, accountOf } from './ids.ts';
import { keyFormOf, LIME_SUITES, type ServedSuite } from './lime-server.ts';
import { LIMITS } from './limits.ts';
import {
  address,
  bytes,
  choice,
  deviceId,
  list,
  type MessageOf,
  MessageType,
  message,
  uint,
} from './protobuf/fields.ts';
import { WireError } from './wire-error.ts';

const SUITES = Object.keys(LIME_SUITES) as ServedSuite[];
/** By enum number, which is LIME's id; 0 never travels. */
const SUITES_BY_ID: (ServedSuite | undefined)[] = [];
for (const name of SUITES) SUITES_BY_ID[LIME_SUITES[name].id] = name;
const ED25519_KEY_BYTES = 32;
const HASH_BYTES = 32;
const REFUSED = 'invalid-manifest';
/** Canonical: in a manifest nothing is skipped. */
const CLOSED = { closed: true };

/** Of LIME: (device id, curve id) names it (lime-protocol section 13). */
const IDENTITY = {
  suite: choice(1, SUITES_BY_ID),
  /** EdDSA public key, 32 (c25519) or 57 (c448) bytes. */
  identityKey: bytes(2, Math.max(...SUITES.map((name) => LIME_SUITES[name].ed))),
};

const DEVICE = new MessageType(
  {
    id: deviceId(1),
    /**
     * At least one, one a suite at most, in the device's order of preference. People on different
     * suites can talk because a device may have an identity on several.
     */
    identities: list(message(2, IDENTITY, CLOSED), SUITES.length),
    /**
     * Ed25519, 32 bytes; empty for a device that cannot log in by challenge: an admitted LIME
     * client, which knows no login keys.
     */
    loginKey: bytes(3, ED25519_KEY_BYTES),
    addedAt: uint(4),
  },
  CLOSED,
);

export const MANIFEST = new MessageType(
  {
    address: address(1),
    /** 1, 2, 3, … without holes. */
    version: uint(2),
    /** SHA-256 of the bytes of the version before; 32 zero bytes in version 1. */
    previous: bytes(3, HASH_BYTES),
    issuedAt: uint(4),
    devices: list(message(5, DEVICE.fields, CLOSED), LIMITS.devicesPerAccount.value),
  },
  CLOSED,
);

export type Manifest = MessageOf<typeof MANIFEST>;
export type ManifestDevice = MessageOf<typeof DEVICE>;
export type DeviceIdentity = ManifestDevice['identities'][number];

const SIGNING_PREFIX = new TextEncoder().encode('sealwire/manifest/v1\0');

/** The canonical bytes. Throws `invalid-manifest` for what `decodeManifest` would refuse. */
export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  const bytes = MANIFEST.encode(manifest, REFUSED);
  decodeManifest(bytes);
  return bytes;
}

/**
 * Strict: the canonical encoding of a manifest that keeps every rule of docs/spec/manifest.md section 3 which needs no cryptography.
 * Byte fields are views. Throws `WireError` `invalid-manifest`.
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > LIMITS.manifestBytes.value) throw invalid(`larger than ${LIMITS.manifestBytes.value} bytes`);
  const manifest = MANIFEST.decode(bytes, REFUSED);
  checkForm(manifest);
  // One manifest, one encoding: else two parties could hold different bytes, and hashes, of what says the same.
  if (!isSame(MANIFEST.encode(manifest), bytes)) throw invalid('not the canonical encoding');
  return manifest;
}

/** One device of a list, as its manifest will name it. */
export function encodeManifestDevice(device: ManifestDevice): Uint8Array<ArrayBuffer> {
  return DEVICE.encode(device, REFUSED);
}

/** Of this account. Byte fields are views. Throws `WireError` `invalid-manifest`. */
export function decodeManifestDevice(bytes: Uint8Array, address: AccountAddress): ManifestDevice {
  const device = DEVICE.decode(bytes, REFUSED);
  checkForm({ address, version: 1, previous: noPreviousManifest(), issuedAt: 0, devices: [device] });
  return device;
}

/** What the account key signs: `sealwire/manifest/v1` in ASCII, a zero byte, the manifest's bytes. */
export function manifestSigningInput(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const input = new Uint8Array(SIGNING_PREFIX.length + bytes.length);
  input.set(SIGNING_PREFIX);
  input.set(bytes, SIGNING_PREFIX.length);
  return input;
}

/** SHA-256 of the bytes: the `previous` of the next version. */
export function manifestHash(crypto: CryptoProvider, bytes: Uint8Array): Uint8Array {
  return crypto.sha256(bytes);
}

/** What `previous` is in version 1. */
export function noPreviousManifest(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(HASH_BYTES);
}

/**
 * The manifest in `bytes`, once the account key's signature over it holds and every key in it is a good one: a valid point, and used
 * for one purpose only. Throws `WireError` `invalid-manifest`.
 */
export function verifyManifest(
  crypto: CryptoProvider,
  accountKey: Uint8Array,
  bytes: Uint8Array,
  signature: Uint8Array,
): Manifest {
  if (bytes.length > LIMITS.manifestBytes.value) throw invalid(`larger than ${LIMITS.manifestBytes.value} bytes`);
  if (!crypto.ed25519.isValidPublicKey(accountKey)) throw invalid('the account key is not a good one');
  if (!crypto.ed25519.verify(accountKey, manifestSigningInput(bytes), signature))
    throw invalid('the signature is wrong');
  const manifest = decodeManifest(bytes);
  const seen = new Set([accountKey.join()]);
  for (const device of manifest.devices) {
    const loginKeys = device.loginKey.length === 0 ? [] : [device.loginKey];
    if (!loginKeys.every((key) => crypto.ed25519.isValidPublicKey(key))) throw invalid('a login key is not a good one');
    for (const { suite, identityKey } of device.identities)
      if (!keyFormOf(crypto, suite).signatures.isValidPublicKey(identityKey))
        throw invalid('an identity key is not a good one');
    for (const key of [...loginKeys, ...device.identities.map(({ identityKey }) => identityKey)]) {
      // A key with two purposes would make one purpose's signatures an oracle for the other.
      if (seen.has(key.join())) throw invalid('a key is used twice');
      seen.add(key.join());
    }
  }
  return manifest;
}

/**
 * Whether `manifest` may follow the manifest in `previousBytes` (undefined: it must be version 1): the next version of the same account,
 * chained by hash, not issued earlier, and a device that stays keeps its keys. Throws `WireError` `invalid-manifest`.
 */
export function verifySuccessor(
  crypto: CryptoProvider,
  previousBytes: Uint8Array | undefined,
  manifest: Manifest,
): void {
  if (!previousBytes) {
    if (manifest.version !== 1) throw invalid('the first manifest has version 1');
    return;
  }
  const previous = decodeManifest(previousBytes);
  if (manifest.version !== previous.version + 1) throw invalid(`the next version is ${previous.version + 1}`);
  if (manifest.address !== previous.address) throw invalid('of another account');
  if (!isSame(manifest.previous, manifestHash(crypto, previousBytes)))
    throw invalid('does not follow the newest manifest');
  if (manifest.issuedAt < previous.issuedAt) throw invalid('issued before the one it follows');
  const before = new Map(previous.devices.map((device) => [device.id, device]));
  for (const device of manifest.devices) {
    const known = before.get(device.id);
    if (known && !isSame(DEVICE.encode(known), DEVICE.encode(device))) throw invalid('a device that stays has changed');
  }
}

function checkForm({ address, version, previous, devices }: Manifest): void {
  if (version < 1) throw invalid('versions begin with 1');
  if (previous.length !== HASH_BYTES) throw invalid('the hash of the version before has 32 bytes');
  if (version === 1 && previous.some((byte) => byte !== 0)) throw invalid('version 1 follows nothing');
  if (new Set(devices.map(({ id }) => id)).size < devices.length) throw invalid('a device is named twice');
  for (const device of devices) {
    if (accountOf(device.id) !== address) throw invalid('a device of another account');
    if (device.loginKey.length !== ED25519_KEY_BYTES && device.loginKey.length !== 0)
      throw invalid('a login key has 32 bytes, or none');
    if (device.identities.length === 0) throw invalid('a device without an identity');
    if (new Set(device.identities.map(({ suite }) => suite)).size < device.identities.length)
      throw invalid('two identities of a device on one suite');
    for (const { suite, identityKey } of device.identities)
      if (identityKey.length !== LIME_SUITES[suite].ed)
        throw invalid(`an identity key on ${suite} has ${LIME_SUITES[suite].ed} bytes`);
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function invalid(why: string): WireError {
  return new WireError(REFUSED, why);
}
