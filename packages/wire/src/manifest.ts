/**
 * The account manifest: the list of an account's devices, signed by the account key, versioned and hash-chained
 * (docs/spec/manifest.md). A device outside the newest manifest is never encrypted to.
 */
import type { CryptoProvider, SuiteName } from '@sealwire/crypto/port';
import { type AccountAddress, accountOf, type DeviceId, parseAccountAddress, parseDeviceId } from './ids.ts';
import { LIME_SUITES } from './lime-server.ts';
import { LIMITS } from './limits.ts';
import { Reader } from './protobuf-reader.ts';
import { Writer } from './protobuf-writer.ts';
import { WireError } from './wire-error.ts';

/** A LIME identity: a device may have one on each curve, in its order of preference (lime-protocol section 13: (device id, curve id) names it). */
export interface DeviceIdentity {
  readonly suite: SuiteName;
  /** EdDSA public key, 32 (c25519) or 57 (c448) bytes. */
  readonly identityKey: Uint8Array;
}

export interface ManifestDevice {
  readonly id: DeviceId;
  /** One a curve at most, at least one. People on different curves can talk because a device may have an identity on several. */
  readonly identities: readonly DeviceIdentity[];
  /** Ed25519, 32 bytes; empty for a device that cannot log in by challenge: an admitted LIME client, which knows no login keys. */
  readonly loginKey: Uint8Array;
  readonly addedAt: number;
}

export interface Manifest {
  readonly address: AccountAddress;
  /** 1, 2, 3, … without holes. */
  readonly version: number;
  /** SHA-256 of the bytes of the version before; 32 zero bytes in version 1. */
  readonly previous: Uint8Array;
  readonly issuedAt: number;
  readonly devices: readonly ManifestDevice[];
}

const SIGNING_PREFIX = new TextEncoder().encode('sealwire/manifest/v1\0');
const SUITES = Object.keys(LIME_SUITES) as SuiteName[];
/** By enum number, which is LIME's id; 0 never travels. */
const SUITE_OF_ID: ReadonlyMap<number, SuiteName> = new Map(SUITES.map((name) => [LIME_SUITES[name].id, name]));
const LONGEST_IDENTITY_KEY = Math.max(...SUITES.map((name) => LIME_SUITES[name].ed));
const ED25519_KEY_BYTES = 32;
const HASH_BYTES = 32;
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The canonical bytes. Throws `invalid-manifest` for what `decodeManifest` would refuse. */
export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  const bytes = write(manifest);
  decodeManifest(bytes);
  return bytes;
}

/**
 * Strict: the canonical encoding of a manifest that keeps every rule of docs/spec/manifest.md section 3 which needs no cryptography.
 * Byte fields are views. Throws `WireError` `invalid-manifest`.
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > LIMITS.manifestBytes.value) throw invalid(`larger than ${LIMITS.manifestBytes.value} bytes`);
  const manifest = read(new Reader(bytes, 'invalid-manifest'));
  checkForm(manifest);
  // One manifest, one encoding: else two parties could hold different bytes, and hashes, of what says the same.
  if (!isSame(write(manifest), bytes)) throw invalid('not the canonical encoding');
  return manifest;
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
      if (!crypto.suites[suite].signatures.isValidPublicKey(identityKey))
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
    if (known && !isSame(writeDevice(known).finish(), writeDevice(device).finish()))
      throw invalid('a device that stays has changed');
  }
}

function read(reader: Reader): Manifest {
  let address: AccountAddress | undefined;
  let version = 0;
  let previous = NO_BYTES;
  let issuedAt = 0;
  const devices: ManifestDevice[] = [];
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        address = reader.parsed(parseAccountAddress, LIMITS.deviceIdBytes.value);
        break;
      case 2:
        version = reader.uint();
        break;
      case 3:
        previous = reader.bytes(HASH_BYTES);
        break;
      case 4:
        issuedAt = reader.uint();
        break;
      case 5: {
        if (devices.length >= LIMITS.devicesPerAccount.value)
          reader.fail(`more than ${LIMITS.devicesPerAccount.value} devices`);
        const outer = reader.enter();
        devices.push(readDevice(reader));
        reader.leave(outer);
        break;
      }
      default:
        reader.fail('an unknown field');
    }
  }
  return { address: address ?? reader.fail('no address'), version, previous, issuedAt, devices };
}

function readDevice(reader: Reader): ManifestDevice {
  let id: DeviceId | undefined;
  const identities: DeviceIdentity[] = [];
  let loginKey = NO_BYTES;
  let addedAt = 0;
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        id = reader.parsed(parseDeviceId, LIMITS.deviceIdBytes.value);
        break;
      case 2: {
        if (identities.length >= SUITES.length) reader.fail('more identities than curves');
        const outer = reader.enter();
        identities.push(readIdentity(reader));
        reader.leave(outer);
        break;
      }
      case 3:
        loginKey = reader.bytes(ED25519_KEY_BYTES);
        break;
      case 4:
        addedAt = reader.uint();
        break;
      default:
        reader.fail('an unknown field');
    }
  }
  return { id: id ?? reader.fail('a device without an id'), identities, loginKey, addedAt };
}

function readIdentity(reader: Reader): DeviceIdentity {
  let suite: SuiteName | undefined;
  let identityKey = NO_BYTES;
  while (!reader.done) {
    switch (reader.field()) {
      case 1:
        suite = SUITE_OF_ID.get(reader.uint());
        break;
      case 2:
        identityKey = reader.bytes(LONGEST_IDENTITY_KEY);
        break;
      default:
        reader.fail('an unknown field');
    }
  }
  return { suite: suite ?? reader.fail('an identity without a curve'), identityKey };
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
      throw invalid('two identities of a device on one curve');
    for (const { suite, identityKey } of device.identities)
      if (identityKey.length !== LIME_SUITES[suite].ed)
        throw invalid(`an identity key on ${suite} has ${LIME_SUITES[suite].ed} bytes`);
  }
}

function write(manifest: Manifest): Uint8Array<ArrayBuffer> {
  const writer = new Writer(320 + manifest.devices.length * 320)
    .text(1, manifest.address)
    .uint(2, manifest.version)
    .bytes(3, manifest.previous)
    .uint(4, manifest.issuedAt);
  for (const device of manifest.devices) writer.message(5, () => writeDevice(device, writer));
  return writer.finish();
}

function writeDevice(device: ManifestDevice, writer = new Writer(320)): Writer {
  writer.text(1, device.id);
  for (const { suite, identityKey } of device.identities)
    writer.message(2, () => writer.uint(1, LIME_SUITES[suite].id).bytes(2, identityKey));
  return writer.bytes(3, device.loginKey).uint(4, device.addedAt);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function invalid(why: string): WireError {
  return new WireError('invalid-manifest', why);
}
