/** When two records say the same: what makes a repeat a repeat, and anything else a conflict. */
import type { DeviceIdentity } from '@sealwire/wire/manifest';
import {
  type AccountRecord,
  type AccountRecordName,
  type Attachment,
  type Device,
  type NesUser,
  type OperatorRecord,
  type PrekeyBundle,
  StoreError,
} from './port.ts';

/** Not for secrets: it stops at the first difference. */
export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Whether both have the same login key and the same identities in the same order: what a device keeps for life. */
export function isSameDevice(a: Device, b: Device): boolean {
  return (
    isSameBytes(a.loginKey, b.loginKey) &&
    a.identities.length === b.identities.length &&
    a.identities.every(({ suite, identityKey }, i) => {
      const other = b.identities[i];
      return other?.suite === suite && isSameBytes(other.identityKey, identityKey);
    })
  );
}

/** Whether both have the same identity key, signed prekey and signature; one-time keys are not compared. */
export function isSameBundle(a: PrekeyBundle, b: PrekeyBundle): boolean {
  return (
    isSameBytes(a.identityKey, b.identityKey) &&
    a.signedPrekey.id === b.signedPrekey.id &&
    isSameBytes(a.signedPrekey.publicKey, b.signedPrekey.publicKey) &&
    isSameBytes(a.signedPrekey.signature, b.signedPrekey.signature)
  );
}

/** Whether both name the same identities, in whatever order. */
export function isSameIdentities(a: readonly DeviceIdentity[], b: readonly DeviceIdentity[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ suite, identityKey }) => {
      const other = b.find((identity) => identity.suite === suite);
      return other !== undefined && isSameBytes(other.identityKey, identityKey);
    })
  );
}

/** The public keys of a manifest entry. A device without a login key has none to own. */
export function keysOfDevice({ loginKey, identities }: Device): Uint8Array[] {
  const identityKeys = identities.map(({ identityKey }) => identityKey);
  return loginKey.length === 0 ? identityKeys : [loginKey, ...identityKeys];
}

export function isSameAttachment(a: Attachment, b: Attachment): boolean {
  return a.bytes === b.bytes && a.handle === b.handle && a.isComplete === b.isComplete && a.expiresAt === b.expiresAt;
}

/** The end of an attachment whose account is gone: past by every clock. */
export const GONE_WITH_ACCOUNT = 0;

/** Else it was an earlier account's of that name, and only waits to be swept. */
export function isItsAccounts({ expiresAt }: Attachment): boolean {
  return expiresAt !== GONE_WITH_ACCOUNT;
}

/** For so long an expired user of NES is still found, so that the link of its mail can say why it does nothing. */
export const NES_KEPT_MS = 86_400_000;

/** Nobody activated it in time. */
export function hasExpired({ expiresAt }: NesUser, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

export const ACCOUNT_RECORDS: readonly AccountRecordName[] = ['contact-list', 'contact-rules'];

/** In the order of time, as text and as bytes. */
export function auditKey({ at, id }: { readonly at: number; readonly id: string }): string {
  return `${Math.max(at, 0).toString(16).padStart(12, '0')}${id}`;
}

/** As `mayReplace`, of a record of operators. */
export function mayReplaceText(
  known: OperatorRecord | undefined,
  after: number,
  { version, text }: OperatorRecord,
): boolean {
  if (known && known.version === version && known.text === text) return false;
  checkVersions(known?.version ?? 0, after, version);
  return true;
}

/** False: `record` is there already. Throws `conflict` unless it may come in the place of `known`, of which the caller saw version `after`. */
export function mayReplace(known: AccountRecord | undefined, after: number, record: AccountRecord): boolean {
  if (known && known.version === record.version && isSameBytes(known.bytes, record.bytes)) return false;
  checkVersions(known?.version ?? 0, after, record.version);
  return true;
}

function checkVersions(known: number, after: number, next: number): void {
  if (known !== after) throw new StoreError('conflict', 'another version of the record is there');
  if (next <= after) throw new StoreError('conflict', 'a new record has a higher version');
}
