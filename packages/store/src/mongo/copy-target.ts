/**
 * A database that a copy fills (`copying.ts`): as long as the copy has not ended no server opens it (`schema.ts`). Every write may be
 * repeated.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { mongo } from 'mongoose';
import { StoreError } from '../port.ts';
import { boxOf, LAST_SEQ, mailId } from './bytes.ts';
import type { AccountDocuments, MailboxDocuments } from './copied-documents.ts';
import type { AccountDocument } from './documents.ts';
import { digestOf } from './documents-digest.ts';
import { Engine, type EngineTerms, isDuplicate, storeErrorOf } from './engine.ts';
import { type CopyDocument, migrateUp, schemaOf } from './schema.ts';

/** With its mailboxes. */
export interface AccountCopy extends AccountDocuments {
  readonly mailboxes: readonly MailboxDocuments[];
}

/** Collections of documents that stand for themselves. */
export type LooseCollection =
  | 'accepted'
  | 'accountrecords'
  | 'attachments'
  | 'audittrail'
  | 'invitations'
  | 'nesusers'
  | 'once'
  | 'operatorrecords'
  | 'times';

interface Identified {
  readonly _id: Buffer | string;
}

export class CopyTarget {
  private constructor(
    private readonly engine: Engine,
    /** The last account that was copied before; undefined: none, not even in part. */
    private readonly begun: string | undefined,
  ) {}

  /** Accounts may be there beyond `after`, in part. */
  get isResumed(): boolean {
    return this.begun !== undefined;
  }

  /** The last account that was copied before; empty: none. */
  get after(): string {
    return this.begun ?? '';
  }

  /** Begins a copy, or goes on with one. Rejects with a `StoreError` for a database that holds something else. */
  static async open(terms: EngineTerms): Promise<CopyTarget> {
    const engine = await Engine.connect(terms);
    try {
      return new CopyTarget(engine, await begin(engine));
    } catch (error) {
      await engine.close();
      throw storeErrorOf(error);
    }
  }

  close(): Promise<void> {
    return this.engine.close();
  }

  /** All of these, and then that they are there. */
  async put(copies: readonly AccountCopy[]): Promise<void> {
    const of = <Doc>(pick: (copy: AccountCopy) => readonly Doc[]) => copies.flatMap(pick);
    // First: it names the devices, by which `clear` finds what else there is.
    await this.replace(
      'accounts',
      of(({ accounts }) => accounts),
    );
    await this.replace(
      'manifests',
      of(({ manifests }) => manifests),
    );
    await this.replace(
      'prekeys',
      of(({ prekeys }) => prekeys),
    );
    await this.replace(
      'keys',
      of(({ keys }) => keys),
    );
    await this.replace(
      'mails',
      of(({ mailboxes }) => mailboxes.flatMap(({ mails }) => mails)),
    );
    await this.replace(
      'mailboxes',
      of(({ mailboxes }) => mailboxes.map(({ mailbox }) => mailbox)),
    );
  }

  /** That these came last. */
  async note(after: string, accounts: number): Promise<void> {
    await this.engine.write(() => this.schema.updateOne({ _id: 'copy' }, { $set: { after, accounts } }));
  }

  /**
   * Takes away what there is of these accounts, and of devices that they had when they were put and have no more, so that they can be
   * put anew.
   */
  async clear(copies: readonly AccountCopy[]): Promise<void> {
    const addresses = copies.map(addressOf);
    const there = (await this.find('accounts', { _id: { $in: addresses } })) as AccountDocument[];
    const devices = [...there, ...copies.flatMap(({ accounts }) => accounts)].flatMap(devicesOf);
    const owners = [...addresses, ...devices];
    await this.engine.write(() => this.collection('manifests').deleteMany({ address: { $in: addresses } }));
    await this.engine.write(() => this.collection('keys').deleteMany({ owner: { $in: owners } }));
    for (const address of addresses)
      await this.engine.write(() => this.collection('prekeys').deleteMany({ _id: prekeysOf(address) }));
    const boxes = new Map(devices.map((id) => [id, boxOf(id as DeviceId)]));
    for (const box of boxes.values())
      await this.engine.write(() => this.collection('mails').deleteMany({ _id: rangeOf(box) }));
    await this.engine.write(() => this.collection('mailboxes').deleteMany({ _id: { $in: [...boxes.values()] } }));
  }

  /** They are put anew: an invitation that was used up since, the record of an account or a user of NES who left, is none any more. */
  async clearLoose(): Promise<void> {
    for (const name of ['accountrecords', 'invitations', 'nesusers', 'operatorrecords'] satisfies LooseCollection[])
      await this.engine.write(() => this.collection(name).deleteMany({}));
  }

  /** The digest of what the database has in the place of `copy`. */
  async digestOf(copy: AccountCopy): Promise<Buffer> {
    const ids = (documents: readonly Identified[]) => ({ _id: { $in: documents.map(({ _id }) => _id) } });
    const mailboxes = await Promise.all(
      copy.mailboxes.map(async ({ mailbox: { _id } }) => {
        const [mailbox, mails] = await Promise.all([
          this.find('mailboxes', { _id }),
          this.find('mails', { _id: rangeOf(_id) }),
        ]);
        return { mailbox: mailbox[0], mails: mails.sort((a, b) => Buffer.compare(a._id as Buffer, b._id as Buffer)) };
      }),
    );
    const address = addressOf(copy);
    const gone = copy.accounts.flatMap((account) => account.gone).map((id) => boxOf(id as DeviceId));
    const [accounts, manifests, prekeys, keys, left] = await Promise.all([
      this.find('accounts', ids(copy.accounts)),
      this.find('manifests', { address }),
      this.find('prekeys', { _id: prekeysOf(address) }),
      this.find('keys', ids(copy.keys)),
      this.find('mailboxes', { _id: { $in: gone } }),
    ]);
    return digestOfAccount({ accounts, manifests, prekeys, keys, mailboxes: [...mailboxes, ...left] });
  }

  /** Puts documents of one collection. */
  async replace(collection: string, documents: readonly Identified[]): Promise<void> {
    for (const some of inBatches(documents))
      await this.engine.write(() =>
        this.collection(collection).bulkWrite(
          some.map((replacement) => ({
            replaceOne: { filter: { _id: replacement._id }, replacement, upsert: true },
          })),
          { ordered: false },
        ),
      );
  }

  /** The digest of what is in the place of each. */
  async digestsOf(collection: LooseCollection, documents: readonly Identified[]): Promise<Buffer[]> {
    const found = await this.find(collection, { _id: { $in: documents.map(({ _id }) => _id) } });
    const there = new Map(found.map((one) => [digestOf(one._id).toString('hex'), one]));
    return documents.map(({ _id }) => digestOf(there.get(digestOf(_id).toString('hex'))));
  }

  async accounts(): Promise<number> {
    return this.engine.read(() => this.collection('accounts').countDocuments({}));
  }

  /** From here on servers may open it. */
  async finish(): Promise<void> {
    await this.engine.write(() => this.schema.updateOne({ _id: 'copy' }, { $set: { isDone: true } }));
  }

  private find(collection: string, filter: mongo.Filter<Identified>): Promise<Identified[]> {
    return this.engine.read(() => this.collection(collection).find(filter).toArray());
  }

  private collection(name: string): mongo.Collection<Identified> {
    return this.engine.connection.db!.collection(name);
  }

  private get schema(): mongo.Collection<CopyDocument> {
    return schemaOf(this.engine) as unknown as mongo.Collection<CopyDocument>;
  }
}

/** In whatever order the documents of a collection are. */
export function digestOfAccount({
  accounts,
  manifests,
  prekeys,
  keys,
  mailboxes,
}: {
  readonly [Part in keyof AccountCopy]: readonly unknown[];
}): Buffer {
  const inOrder = (documents: readonly unknown[]) => documents.map((one) => digestOf(one).toString('hex')).sort();
  return digestOf([accounts, manifests, prekeys, keys, mailboxes].map(inOrder));
}

/** Where a copy goes on; undefined: it is a new one. */
async function begin(engine: Engine): Promise<string | undefined> {
  const schema = schemaOf(engine);
  const known = (await engine.read(() => schema.findOne({ _id: 'copy' }))) as CopyDocument | null;
  if (known?.isDone)
    throw new StoreError(
      'conflict',
      'a copy into this database has ended, and its servers may have changed it since: start them, or name another database',
    );
  if (known) return known.after;
  const accounts = engine.connection.db!.collection('accounts');
  if (await engine.read(() => accounts.findOne({})))
    throw new StoreError('conflict', 'the database holds accounts already: name an empty one');
  // First, so that no server takes it for its own.
  const copy: CopyDocument = { _id: 'copy', after: '', accounts: 0, isDone: false };
  try {
    await engine.write(() => schema.insertOne(copy));
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
  await migrateUp(engine);
  return undefined;
}

function addressOf({ accounts }: AccountCopy): string {
  return accounts[0]!._id;
}

function devicesOf({ devices, waiting, gone }: AccountDocument): string[] {
  return [...devices.map(({ id }) => id), ...waiting.map(({ id }) => id), ...gone];
}

/** Of all devices of the account, whatever is known of them: their ids begin with its address and `;gr=`. */
function prekeysOf(address: string): { readonly $gte: string; readonly $lt: string } {
  return { $gte: `${address};gr=`, $lt: `${address};gr>` };
}

function rangeOf(box: Buffer): { readonly $gte: Buffer; readonly $lte: Buffer } {
  return { $gte: mailId(box, 0), $lte: mailId(box, LAST_SEQ) };
}

/** As many as one message to the server may hold. */
function* inBatches(documents: readonly Identified[]): Generator<Identified[]> {
  const MOST = 500;
  const MOST_BYTES = 8 << 20;
  let some: Identified[] = [];
  let bytes = 0;
  for (const one of documents) {
    const size = 'size' in one ? Number(one.size) : 0;
    if (some.length > 0 && (some.length === MOST || bytes + size > MOST_BYTES)) {
      yield some;
      [some, bytes] = [[], 0];
    }
    some.push(one);
    bytes += size;
  }
  if (some.length > 0) yield some;
}
