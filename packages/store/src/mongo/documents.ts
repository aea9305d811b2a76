/**
 * The documents and their collections. Identity is in `_id`, so every write names one document and a sharded deployment finds it by
 * its shard key (docs/operations/mongodb.md): `accounts` and `keys` by `_id`, `mails`, `mailboxes` and `accepted` by a prefix of it that
 * is a hash.
 */
import { type Connection, type Model, mongo, Schema } from 'mongoose';

/** An account, or what is known of an address without one: devices that wait, and that a creation began. */
export interface AccountDocument {
  readonly _id: string;
  /** Grows with every change of what others must not have changed meanwhile: manifest, devices, who waits. */
  readonly rev: number;
  /** `none`: there is no account yet. `deleted`: of which only the name stays. */
  readonly state: 'none' | 'active' | 'deleted';
  readonly accountKey?: Buffer;
  readonly createdAt?: number;
  /** The newest one; those before it are in `manifests`. */
  readonly manifest?: ManifestFields;
  readonly devices: readonly DeviceFields[];
  readonly waiting: readonly { readonly id: string; readonly since: number }[];
  /** Device ids that are never given out again. */
  readonly gone: readonly string[];
  /** What left, and whose keys, prekeys and mailbox have not been cleared away yet. */
  readonly leaving: readonly LeavingFields[];
  readonly appPasswords: readonly AppPasswordFields[];
  /** Absent, or null, once keys were registered or a second manifest was published. */
  readonly unfinishedSince?: number | null;
}

export interface ManifestFields {
  readonly version: number;
  readonly bytes: Buffer;
  readonly signature: Buffer;
}

export interface DeviceFields {
  readonly id: string;
  readonly identities: readonly { readonly suite: string; readonly identityKey: Buffer }[];
  readonly loginKey: Buffer;
  readonly addedAt: number;
}

export interface LeavingFields {
  /** A device, or the account itself. */
  readonly id: string;
  readonly keys: readonly Buffer[];
  /** Of the account's document when it left: what it holds by a later one, it holds anew. */
  readonly rev: number;
}

export interface AppPasswordFields {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  /** 0: never. */
  readonly usedAt: number;
  readonly verifier: Buffer;
  /** The call that added it. */
  readonly by: Buffer;
}

/** The attachments of an account; `_id`: its address. */
export interface AttachmentsDocument {
  readonly _id: string;
  /** Of all that are held. */
  readonly bytes: number;
  readonly held: readonly AttachmentFields[];
}

export interface AttachmentFields {
  readonly id: string;
  readonly bytes: number;
  readonly handle: string;
  readonly isComplete: boolean;
  readonly expiresAt: number;
}

/** A manifest that a newer one followed; `_id`: address, space, version. */
export interface ManifestDocument extends ManifestFields {
  readonly _id: string;
  readonly address: string;
}

/** What a device registered on a suite; `_id`: device, space, suite. */
export interface PrekeyDocument {
  readonly _id: string;
  readonly rev: number;
  /** Absent when it registered nothing, or deleted it. */
  readonly bundle?: {
    readonly identityKey: Buffer;
    readonly signedPrekey: { readonly id: number; readonly publicKey: Buffer; readonly signature: Buffer };
  };
  /** Oldest first; `digest`: of the public key, what is remembered of one that was handed out. */
  readonly oneTime: readonly { readonly id: number; readonly publicKey: Buffer; readonly digest: Buffer }[];
  readonly claimed: readonly { readonly id: number; readonly digest: Buffer; readonly at: number }[];
}

/** Whose a public key is; `_id`: the key. */
export interface KeyDocument {
  readonly _id: Buffer;
  readonly owner: string;
  /**
   * The documents of the owner that use it, or are about to: `account`, or the suite of its prekeys; each with the `rev` that
   * the document has once it does.
   */
  readonly held: Readonly<Record<string, number>>;
}

export interface InvitationDocument {
  readonly _id: Buffer;
  readonly uses: number;
  readonly expiresAt: number;
  /** Who took a use of it: a repeat takes no other one. */
  readonly takers: readonly Buffer[];
}

/** `_id`: address, space, name. */
export interface AccountRecordDocument {
  readonly _id: string;
  readonly version: number;
  readonly bytes: Buffer;
}

/** A user of NES; `_id`: its name. */
export interface NesUserDocument {
  readonly _id: string;
  readonly messageKey: string;
  readonly signKey: string;
  readonly activation: Buffer;
  readonly deletion: Buffer;
  /** Null: it was activated. */
  readonly expiresAt: number | null;
  /** For the TTL index, which only cleans. */
  readonly forget?: Date;
}

/** `_id`: kind, space, key. */
export interface OperatorRecordDocument {
  readonly _id: string;
  readonly version: number;
  readonly text: string;
}

/** `_id`: time as 12 hexadecimal digits, id. */
export interface AuditDocument {
  readonly _id: string;
  readonly text: string;
}

export interface OnceDocument {
  readonly _id: Buffer;
  readonly until: number;
  readonly by: Buffer;
  /** For the TTL index, which only cleans. */
  readonly forget: Date;
}

/** What a mailbox is beside its messages; `_id`: `boxOf(device)`. */
export interface MailboxDocument {
  readonly _id: Buffer;
  readonly device: string;
  /** The newest number given out. */
  readonly last: number;
  /** Bytes of all messages ever numbered, and of those that are surely gone. */
  readonly sum: number;
  readonly sumGone: number;
  readonly acked: number;
  /** Up to here no number is under way any more: one without a message is a loss that `gap` tells of. */
  readonly settled: number;
  readonly session: number;
  readonly gap: GapFields | null;
  /** Numbers that `gap` counts already, and whose messages are being deleted. */
  readonly losing: readonly number[];
  /** Grows with every change of `gap`, `settled` and `losing`. */
  readonly rev: number;
  /** The append that gave out the newest numbers. */
  readonly by: Buffer;
  /** The device was removed: nothing comes back under its id. */
  readonly gone?: true;
}

/** Nothing was ever in it. */
export function emptyMailbox(device: string): Omit<MailboxDocument, '_id'> {
  return {
    device,
    last: 0,
    sum: 0,
    sumGone: 0,
    acked: 0,
    settled: 0,
    session: 0,
    gap: null,
    losing: [],
    rev: 1,
    by: Buffer.alloc(0),
  };
}

export interface GapFields {
  readonly count: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly reason: 'expired' | 'trimmed' | 'damaged';
}

/** A message in one mailbox, or a tombstone that keeps its number from being used; `_id`: `mailId(box, seq)`. */
export type MailDocument = StoredMailDocument | TombstoneDocument;

export interface StoredMailDocument {
  readonly _id: Buffer;
  /** The `_id` of its `AcceptedDocument`. */
  readonly key: Buffer;
  /** `accountTag` of the sender's account. */
  readonly from: Buffer;
  readonly at: number;
  readonly size: number;
  readonly body: Buffer;
}

export interface TombstoneDocument {
  readonly _id: Buffer;
  readonly void: true;
  readonly at: number;
}

/** A message id that was taken; `_id`: `acceptedKey(sender, id)`. */
export interface AcceptedDocument {
  readonly _id: Buffer;
  readonly digest: Buffer;
  /** Mailboxes and numbers, once for each time that a device is named. Decided before the message is in any mailbox. */
  readonly to: readonly { readonly box: Buffer; readonly device: string; readonly seq: number }[];
  readonly refused: readonly string[];
  readonly by: Buffer;
  readonly forget: Date;
}

export interface TimeDocument {
  readonly _id: string;
  readonly time: number;
}

export interface Documents {
  readonly accounts: Model<AccountDocument>;
  readonly manifests: Model<ManifestDocument>;
  readonly prekeys: Model<PrekeyDocument>;
  readonly keys: Model<KeyDocument>;
  readonly invitations: Model<InvitationDocument>;
  readonly accountRecords: mongo.Collection<AccountRecordDocument>;
  readonly nesUsers: mongo.Collection<NesUserDocument>;
  readonly operatorRecords: mongo.Collection<OperatorRecordDocument>;
  readonly auditTrail: mongo.Collection<AuditDocument>;
  readonly once: mongo.Collection<OnceDocument>;
  readonly mailboxes: mongo.Collection<MailboxDocument>;
  readonly mails: mongo.Collection<MailDocument>;
  readonly accepted: mongo.Collection<AcceptedDocument>;
  readonly attachments: mongo.Collection<AttachmentsDocument>;
  readonly times: mongo.Collection<TimeDocument>;
}

const OPTIONS = { strict: 'throw', versionKey: false, minimize: false, autoIndex: false, autoCreate: false } as const;
const PART = { _id: false, strict: 'throw' } as const;

const manifestFields = { version: Number, bytes: Buffer, signature: Buffer };

const account = new Schema(
  {
    _id: String,
    rev: { type: Number, required: true },
    state: { type: String, enum: ['none', 'active', 'deleted'], required: true },
    accountKey: Buffer,
    createdAt: Number,
    unfinishedSince: Number,
    manifest: new Schema(manifestFields, PART),
    devices: [
      new Schema(
        {
          id: String,
          identities: [new Schema({ suite: String, identityKey: Buffer }, PART)],
          loginKey: Buffer,
          addedAt: Number,
        },
        PART,
      ),
    ],
    waiting: [new Schema({ id: String, since: Number }, PART)],
    gone: [String],
    leaving: [new Schema({ id: String, keys: [Buffer], rev: Number }, PART)],
    appPasswords: [
      new Schema({ id: String, name: String, createdAt: Number, usedAt: Number, verifier: Buffer, by: Buffer }, PART),
    ],
  },
  { ...OPTIONS, collection: 'accounts' },
);

const manifest = new Schema(
  { _id: String, address: String, ...manifestFields },
  { ...OPTIONS, collection: 'manifests' },
);

const prekey = new Schema(
  {
    _id: String,
    rev: { type: Number, required: true },
    bundle: new Schema(
      {
        identityKey: Buffer,
        signedPrekey: new Schema({ id: Number, publicKey: Buffer, signature: Buffer }, PART),
      },
      PART,
    ),
    oneTime: [new Schema({ id: Number, publicKey: Buffer, digest: Buffer }, PART)],
    claimed: [new Schema({ id: Number, digest: Buffer, at: Number }, PART)],
  },
  { ...OPTIONS, collection: 'prekeys' },
);

const key = new Schema(
  { _id: Buffer, owner: String, held: { type: Schema.Types.Mixed, default: {} } },
  { ...OPTIONS, collection: 'keys' },
);

const invitation = new Schema(
  { _id: Buffer, uses: Number, expiresAt: Number, takers: [Buffer] },
  { ...OPTIONS, collection: 'invitations' },
);

export interface IndexSpec {
  readonly collection: string;
  readonly key: mongo.IndexSpecification;
  readonly options?: mongo.CreateIndexesOptions;
}

/** Beside `_id`. The TTL ones only clean: what has ended is told by the questions themselves. */
export const INDEXES: readonly IndexSpec[] = [
  { collection: 'mails', key: { at: 1 } },
  { collection: 'manifests', key: { address: 1, version: 1 } },
  { collection: 'attachments', key: { 'held.expiresAt': 1 } },
  { collection: 'accepted', key: { forget: 1 }, options: { expireAfterSeconds: 0 } },
  { collection: 'nesusers', key: { forget: 1 }, options: { expireAfterSeconds: 0 } },
  { collection: 'once', key: { forget: 1 }, options: { expireAfterSeconds: 0 } },
];

/** The collections of `connection`. The hot ones go past mongoose's documents: a batch is its own checking. */
export function openDocuments(connection: Connection): Documents {
  const db = connection.db!;
  return {
    accounts: connection.model<AccountDocument>('Account', account as unknown as Schema<AccountDocument>),
    manifests: connection.model<ManifestDocument>('Manifest', manifest as unknown as Schema<ManifestDocument>),
    prekeys: connection.model<PrekeyDocument>('Prekey', prekey as unknown as Schema<PrekeyDocument>),
    keys: connection.model<KeyDocument>('Key', key as unknown as Schema<KeyDocument>),
    invitations: connection.model<InvitationDocument>(
      'Invitation',
      invitation as unknown as Schema<InvitationDocument>,
    ),
    accountRecords: db.collection('accountrecords'),
    nesUsers: db.collection('nesusers'),
    operatorRecords: db.collection('operatorrecords'),
    auditTrail: db.collection('audittrail'),
    once: db.collection('once'),
    mailboxes: db.collection('mailboxes'),
    mails: db.collection('mails'),
    accepted: db.collection('accepted'),
    attachments: db.collection('attachments'),
    times: db.collection('times'),
  };
}
