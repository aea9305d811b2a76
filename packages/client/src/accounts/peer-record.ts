/**
 * What this device knows of an account: the pinned account key, the newest manifest that was verified, and the user's trust in its
 * devices (docs/spec/client.md section 4). Key `peer/ADDRESS`; our own account has one too.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import {
  decodeManifest,
  type Manifest,
  type ManifestDevice,
  verifyManifest,
  verifySuccessor,
} from '@sealwire/wire/manifest';
import { WireError } from '@sealwire/wire/wire-error';
import { ClientError } from '../errors.ts';
import type { Trust } from '../events.ts';
import type { Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

export interface PeerRecord {
  readonly address: AccountAddress;
  /** Pinned: trust on first use. */
  readonly accountKey: Uint8Array;
  readonly manifest: Manifest;
  /** The bytes of `manifest` as the account key signed them. */
  readonly bytes: Uint8Array;
  /** When the directory last confirmed it as the newest, ms. */
  readonly checkedAt: number;
  /** The user has compared the account key: what it signs is trusted. Absent: no. */
  readonly verified?: boolean;
  /** The user's word, or a changed key's, on single devices. What is not named is `trusted` if the account is verified, else `untrusted`. */
  readonly trust: ReadonlyMap<DeviceId, Trust>;
  /** Another account key under this name, which the server has shown since: a reset, or a lie. The user decides. */
  readonly shown?: Uint8Array;
  /** As the directory handed it out last, of whatever authority: judged when it is needed (`DeviceAuthority`). */
  readonly certificate?: Uint8Array;
}

/** A manifest as the directory hands it out: nothing in it is believed yet. */
export interface OfferedManifest {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

interface StoredHeader {
  readonly accountKey: string;
  readonly checkedAt: number;
  /** Absent: no. */
  readonly verified?: true;
  readonly trust: Readonly<Record<string, Trust>>;
  readonly shown?: string;
  readonly certificate?: string;
}

const keyOf = (address: AccountAddress) => `peer/${address}`;

export function readPeer(records: Records, address: AccountAddress): PeerRecord | undefined {
  const stored = records.get(keyOf(address));
  if (!stored) return undefined;
  const { header, blob } = decodeRecord<StoredHeader>(stored);
  return {
    address,
    accountKey: decodeBase64url(header.accountKey),
    manifest: decodeManifest(blob),
    bytes: blob,
    checkedAt: header.checkedAt,
    ...(header.verified && { verified: true }),
    trust: new Map(Object.entries(header.trust)) as Map<DeviceId, Trust>,
    ...(header.shown !== undefined && { shown: decodeBase64url(header.shown) }),
    ...(header.certificate !== undefined && { certificate: decodeBase64url(header.certificate) }),
  };
}

export function readPeers(records: Records): PeerRecord[] {
  return records.keys(keyOf('' as AccountAddress)).map((key) => {
    const address = key.slice(key.indexOf('/') + 1) as AccountAddress;
    return readPeer(records, address) as PeerRecord;
  });
}

export function writePeer(transaction: Transaction, peer: PeerRecord): void {
  const header: StoredHeader = {
    accountKey: encodeBase64url(peer.accountKey),
    checkedAt: peer.checkedAt,
    ...(peer.verified && { verified: true as const }),
    trust: Object.fromEntries(peer.trust),
    ...(peer.shown && { shown: encodeBase64url(peer.shown) }),
    ...(peer.certificate && { certificate: encodeBase64url(peer.certificate) }),
  };
  transaction.set(keyOf(peer.address), encodeRecord(header, peer.bytes));
}

/** `peer` with the certificate that the directory shows with its list, or without one: who takes it back leaves it out. */
export function withCertificate(peer: PeerRecord, certificate: Uint8Array | undefined): PeerRecord {
  const { certificate: _, ...rest } = peer;
  return { ...rest, ...(certificate && { certificate }) };
}

export function deletePeer(transaction: Transaction, address: AccountAddress): void {
  transaction.delete(keyOf(address));
}

export function trustIn(peer: PeerRecord, device: DeviceId): Trust {
  return peer.trust.get(device) ?? (peer.verified ? 'trusted' : 'untrusted');
}

/** Of a conversation with the account: the lowest of its devices. An account without devices is as trusted as its key. */
export function lowestTrust(peer: PeerRecord): Trust {
  const all = peer.manifest.devices.map(({ id }) => trustIn(peer, id));
  if (all.includes('unsafe')) return 'unsafe';
  return all.includes('untrusted') || (all.length === 0 && !peer.verified) ? 'untrusted' : 'trusted';
}

export function deviceOf(peer: PeerRecord, device: DeviceId): ManifestDevice | undefined {
  return peer.manifest.devices.find(({ id }) => id === device);
}

/**
 * First contact: the account key is pinned as the directory names it, and its newest manifest is believed when that key signed it.
 * Throws `manifest-invalid`.
 */
export function pinPeer(
  crypto: CryptoProvider,
  address: AccountAddress,
  accountKey: Uint8Array,
  offered: OfferedManifest,
  now: number,
): PeerRecord {
  const manifest = verified(crypto, address, accountKey, offered);
  return { address, accountKey, manifest, bytes: offered.bytes, checkedAt: now, trust: new Map() };
}

/**
 * `known` after the directory offered the manifests that follow its own, ascending, or its newest again. Every one must be signed by the
 * pinned key and chained to the one before it.
 * Throws `manifest-rollback` (older than what is known), `manifest-fork` (the same version with other bytes, or a broken chain),
 * `manifest-invalid`. Devices that left the manifest lose their trust: their ids never come back.
 */
export function followPeer(
  crypto: CryptoProvider,
  known: PeerRecord,
  offered: readonly OfferedManifest[],
  now: number,
): PeerRecord {
  let { manifest, bytes } = known;
  for (const next of offered) {
    const candidate = verified(crypto, known.address, known.accountKey, next);
    if (candidate.version < manifest.version)
      throw new ClientError(
        'manifest-rollback',
        `the server shows an older device list of ${known.address} than before, as after it was restored from a backup: nothing is sent until one of their devices connects and gives it the newer one`,
      );
    if (candidate.version === manifest.version) {
      if (!crypto.equal(next.bytes, bytes)) throw forked(known.address);
      continue;
    }
    try {
      verifySuccessor(crypto, bytes, candidate);
    } catch (cause) {
      throw forked(known.address, cause);
    }
    manifest = candidate;
    bytes = next.bytes;
  }
  const present = new Set(manifest.devices.map(({ id }) => id));
  const trust = new Map([...known.trust].filter(([device]) => present.has(device)));
  return { ...known, manifest, bytes, checkedAt: now, trust };
}

function verified(
  crypto: CryptoProvider,
  address: AccountAddress,
  accountKey: Uint8Array,
  offered: OfferedManifest,
): Manifest {
  try {
    const manifest = verifyManifest(crypto, accountKey, offered.bytes, offered.signature);
    if (manifest.address !== address) throw new WireError('invalid-manifest', 'of another account');
    return manifest;
  } catch (cause) {
    const why = cause instanceof WireError ? cause.message : 'unreadable';
    throw new ClientError('manifest-invalid', `the device list of ${address} is not valid (${why}): nothing is sent`, {
      cause,
    });
  }
}

function forked(address: AccountAddress, cause?: unknown): ClientError {
  const text = `the directory shows a device list of ${address} that contradicts an earlier one: nothing is sent; ask the operator`;
  return new ClientError('manifest-fork', text, { cause });
}
