/** What a data folder holds, as the documents of a database: the copy writes these, and compares what it reads with them. */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { NamedAccountRecord } from '../lmdb/account-records.ts';
import type { RememberedId } from '../lmdb/ids/accepted-ids.ts';
import type { NamedOperatorRecord } from '../lmdb/operator.ts';
import type { WalkedAccount, WalkedMailbox, WalkedPrekeys } from '../lmdb/walk.ts';
import type { Attachment, AuditEntry, NesUser } from '../port.ts';
import { auditKey, keysOfDevice } from '../sameness.ts';
import { accountRecordId } from './account-records.ts';
import { acceptedKey, accountTag, bin, boxOf, DIGEST_LENGTH, hashOf, mailId, ONCE_LENGTH } from './bytes.ts';
import type {
  AcceptedDocument,
  AccountDocument,
  AccountRecordDocument,
  AttachmentsDocument,
  AuditDocument,
  InvitationDocument,
  KeyDocument,
  MailboxDocument,
  ManifestDocument,
  NesUserDocument,
  OnceDocument,
  OperatorRecordDocument,
  PrekeyDocument,
  StoredMailDocument,
  TimeDocument,
} from './documents.ts';
import { EXPIRY_ID } from './expiry-time.ts';
import { nobody } from './ground.ts';
import { operatorRecordId } from './operator.ts';

/** No call of a server wrote them. */
const NOBODY = Buffer.alloc(0);
const REV = 1;
/**
 * The longest that a relay can be told to remember ids (`REPEAT_MEMORY_MINUTES`): forgetting only cleans. Never counted from a time
 * that has passed: the database would forget before the copy is compared.
 */
const FORGET_MS = 7 * 86_400_000;

/** By collection; a list of each account's own. */
export interface AccountDocuments {
  readonly accounts: readonly AccountDocument[];
  readonly manifests: readonly ManifestDocument[];
  readonly prekeys: readonly PrekeyDocument[];
  readonly keys: readonly KeyDocument[];
}

export function accountDocuments(walked: WalkedAccount): AccountDocuments {
  const { address, state, account, unfinishedSince, manifests, devices, waiting, gone, appPasswords } = walked;
  const versions = manifests.map(({ version, bytes, signature }) => ({
    version,
    bytes: bin(bytes),
    signature: bin(signature),
  }));
  const newest = versions.at(-1);
  const document: AccountDocument = {
    ...nobody(address),
    rev: REV,
    state,
    ...(account && { accountKey: bin(account.accountKey), createdAt: account.createdAt }),
    ...(unfinishedSince !== undefined && { unfinishedSince }),
    ...(newest && { manifest: newest }),
    devices: devices.map(({ id, identities, loginKey, addedAt }) => ({
      id,
      identities: identities.map(({ suite, identityKey }) => ({ suite, identityKey: bin(identityKey) })),
      loginKey: bin(loginKey),
      addedAt,
    })),
    waiting: waiting.map(({ id, since }) => ({ id, since })),
    gone,
    appPasswords: appPasswords.map(({ id, name, createdAt, usedAt = 0, verifier }) => ({
      id,
      name,
      createdAt,
      usedAt,
      verifier: bin(verifier),
      by: NOBODY,
    })),
  };
  return {
    accounts: [document],
    manifests: versions.slice(0, -1).map((one) => ({ _id: `${address} ${one.version}`, address, ...one })),
    prekeys: walked.prekeys.map(prekeyDocument),
    keys: keyDocuments(walked),
  };
}

export function attachmentsDocument({
  address,
  held,
}: {
  readonly address: AccountAddress;
  readonly held: readonly Attachment[];
}): AttachmentsDocument {
  return { _id: address, bytes: held.reduce((sum, { bytes }) => sum + bytes, 0), held };
}

function prekeyDocument({ device, suite, bundle, held, claimed }: WalkedPrekeys): PrekeyDocument {
  return {
    _id: `${device} ${suite}`,
    rev: REV,
    ...(bundle && {
      bundle: {
        identityKey: bin(bundle.identityKey),
        signedPrekey: {
          id: bundle.signedPrekey.id,
          publicKey: bin(bundle.signedPrekey.publicKey),
          signature: bin(bundle.signedPrekey.signature),
        },
      },
    }),
    oneTime: held.map(({ id, publicKey }) => ({
      id,
      publicKey: bin(publicKey),
      digest: hashOf(publicKey, DIGEST_LENGTH),
    })),
    claimed: claimed.map(({ id, publicKey, at }) => ({ id, digest: hashOf(publicKey, DIGEST_LENGTH), at })),
  };
}

/** Whose each public key is, and which documents use it. */
function keyDocuments({ address, account, devices, prekeys }: WalkedAccount): KeyDocument[] {
  const keys = new Map<string, { _id: Buffer; owner: AccountAddress | DeviceId; held: Record<string, number> }>();
  const hold = (owner: AccountAddress | DeviceId, key: Uint8Array, field: string) => {
    const _id = bin(key);
    const name = _id.toString('latin1');
    const known = keys.get(name) ?? { _id, owner, held: {} };
    known.held[field] = REV;
    keys.set(name, known);
  };
  if (account) hold(address, account.accountKey, 'account');
  for (const device of devices) for (const key of keysOfDevice(device)) hold(device.id, key, 'account');
  for (const { device, suite, bundle } of prekeys)
    if (bundle) for (const key of [bundle.identityKey, bundle.signedPrekey.publicKey]) hold(device, key, suite);
  return [...keys.values()];
}

export interface MailboxDocuments {
  readonly mailbox: MailboxDocument;
  readonly mails: readonly StoredMailDocument[];
}

export function mailboxDocuments({ device, last, acked, session, gap, mails }: WalkedMailbox): MailboxDocuments {
  const box = boxOf(device);
  return {
    mailbox: {
      _id: box,
      device,
      last,
      sum: mails.reduce((sum, { body }) => sum + body.length, 0),
      sumGone: 0,
      acked: Math.min(acked, last),
      // The folder's owner has ended: no number is under way.
      settled: last,
      session,
      gap: gap ?? null,
      losing: [],
      rev: REV,
      by: NOBODY,
    },
    mails: mails.map(({ seq, at, from, body }) => ({
      _id: mailId(box, seq),
      // Whose repeat it could be is not known any more; `acceptedDocument` says that all is in its place.
      key: NOBODY,
      from: accountTag(from),
      at,
      size: body.length,
      body: bin(body),
    })),
  };
}

/** `now`: when the copy is made, ms. */
export function acceptedDocument({ sender, id, digest, refused, at }: RememberedId, now: number): AcceptedDocument {
  return {
    _id: acceptedKey(sender, id),
    digest: bin(digest),
    to: [],
    refused,
    by: NOBODY,
    forget: new Date(Math.max(at, now) + FORGET_MS),
  };
}

export function invitationDocument({
  hash,
  uses,
  expiresAt,
}: {
  readonly hash: Uint8Array;
  readonly uses: number;
  readonly expiresAt: number;
}): InvitationDocument {
  return { _id: bin(hash), uses, expiresAt, takers: [] };
}

export function accountRecordDocument({ address, name, version, bytes }: NamedAccountRecord): AccountRecordDocument {
  return { _id: accountRecordId(address, name), version, bytes: bin(bytes) };
}

/** `now`: when the copy is made, ms. */
export function nesUserDocument(
  { name, activation, deletion, expiresAt, ...keys }: NesUser,
  now: number,
): NesUserDocument {
  return {
    _id: name,
    ...keys,
    activation: bin(activation),
    deletion: bin(deletion),
    expiresAt: expiresAt ?? null,
    ...(expiresAt !== undefined && { forget: new Date(Math.max(expiresAt, now) + FORGET_MS) }),
  };
}

export function operatorRecordDocument({ kind, key, version, text }: NamedOperatorRecord): OperatorRecordDocument {
  return { _id: operatorRecordId(kind, key), version, text };
}

export function auditDocument(entry: AuditEntry): AuditDocument {
  return { _id: auditKey(entry), text: entry.text };
}

/** `now`: when the copy is made, ms. */
export function onceDocument(
  { key, until }: { readonly key: Uint8Array; readonly until: number },
  now: number,
): OnceDocument {
  return { _id: hashOf(key, ONCE_LENGTH), until, by: NOBODY, forget: new Date(Math.max(until, now) + FORGET_MS) };
}

export function expiryTimeDocument(time: number): TimeDocument {
  return { _id: EXPIRY_ID, time };
}
