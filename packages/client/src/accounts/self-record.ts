/**
 * Who this device is: its account, its keys, and how far its registration has come. One record, `self/account`.
 * Three kinds of keys, never mixed: the account key signs manifests, the login key signs login challenges, and the identity keys
 * (an engine's own records) sign prekeys.
 */
import type { SuiteName } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import type { AccountAddress, AccountName, DeviceId } from '@sealwire/wire/ids';
import type { ServedSuite } from '@sealwire/wire/lime-server';
import type { ManifestDevice } from '@sealwire/wire/manifest';
import type { Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

const KEY = 'self/account';

/** From `/.well-known/sealwire`; absolute paths without a slash at the end. */
export interface ServerPaths {
  readonly api: string;
  readonly lime: string;
  readonly directory: string;
  readonly relay: string;
}

/** `keys`: only this device knows of itself. `listed`: the account's manifest names it. `ready`: its keys are in the directory. */
export type RegistrationStep = 'keys' | 'listed' | 'ready';

export interface SelfRecord {
  /** The origin, e.g. `https://chat.example.org`, and the path under which its servers are, if any. */
  readonly server: string;
  readonly paths: ServerPaths;
  readonly domain: string;
  readonly name: AccountName;
  readonly address: AccountAddress;
  readonly device: DeviceId;
  readonly suites: readonly SuiteName[];
  /** `create`: made the account. `join`: was added to one by its secret. `link`: was let in by another device. */
  readonly kind: 'create' | 'join' | 'link';
  readonly step: RegistrationStep;
  /** The server's last word was no: nothing of this registration exists there. */
  readonly refused: boolean;
  /** Ed25519, 32 bytes; undefined: this device may not change the account's list. */
  readonly accountSeed: Uint8Array | undefined;
  /** Ed25519, 32 bytes. */
  readonly loginSeed: Uint8Array;
  /** What the device that let this one in gave it. */
  readonly handover?: Uint8Array;
  /** Of a device that was let in: under which the account's devices encrypt its contact list. */
  readonly contactsKey?: Uint8Array;
  /** This device as manifests name it. */
  readonly entry: ManifestDevice;
}

/** As it is stored, where a suite is called by LIME's older word. */
interface StoredSelf extends Omit<SelfRecord, 'suites' | 'entry'> {
  readonly curves: readonly SuiteName[];
  readonly entry: Omit<ManifestDevice, 'identities'> & {
    readonly identities: readonly { readonly curve: ServedSuite; readonly identityKey: Uint8Array }[];
  };
}

export function readSelf(records: Records): SelfRecord | undefined {
  const stored = records.get(KEY);
  if (!stored) return undefined;
  const { curves, entry, ...self } = fromText(decodeRecord<object>(stored).header) as StoredSelf;
  const identities = entry.identities.map(({ curve, identityKey }) => ({ suite: curve, identityKey }));
  return { ...self, suites: curves, entry: { ...entry, identities } };
}

export function writeSelf(transaction: Transaction, { suites, entry, ...self }: SelfRecord): void {
  const identities = entry.identities.map(({ suite, identityKey }) => ({ curve: suite, identityKey }));
  const stored: StoredSelf = { ...self, curves: suites, entry: { ...entry, identities } };
  transaction.set(KEY, encodeRecord(toText(stored) as object));
}

/** Byte strings as `{"bytes":"…"}`, at any depth. */
function toText(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: encodeBase64url(value) };
  if (Array.isArray(value)) return value.map(toText);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toText(field)]));
}

function fromText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromText);
  if (value === null || typeof value !== 'object') return value;
  if ('bytes' in value && typeof value.bytes === 'string') return decodeBase64url(value.bytes);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, fromText(field)]));
}
