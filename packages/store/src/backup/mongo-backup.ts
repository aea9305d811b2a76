/** A database as files of documents: what `mongo-restore.ts` puts back, and `verify` reads. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceId } from '@sealwire/wire/ids';
import type { mongo } from 'mongoose';
import type { LooseCollection } from '../mongo/copy-target.ts';
import type { AccountDocument, AttachmentsDocument, ManifestDocument } from '../mongo/documents.ts';
import { Engine, type EngineTerms, storeErrorOf } from '../mongo/engine.ts';
import { readAccounts, readMailbox } from '../mongo/read-accounts.ts';
import { schemaStatus } from '../mongo/schema.ts';
import { StoreError } from '../port.ts';
import { DocumentWriter, readDocuments } from './document-file.ts';
import type { BackupNote, FileNote } from './note.ts';

const DOCUMENTS_FOLDER = 'documents';
const OF_ACCOUNTS = ['accounts', 'manifests', 'prekeys', 'keys', 'mails', 'mailboxes'] as const;
/** Documents that stand for themselves: all but the memory of message ids (docs/adr/0065). */
type Loose = Exclude<LooseCollection, 'accepted'>;
const LOOSE = Object.keys({
  accountrecords: true,
  attachments: true,
  audittrail: true,
  invitations: true,
  nesusers: true,
  once: true,
  operatorrecords: true,
  times: true,
} satisfies Record<Loose, true>) as readonly Loose[];
export type BackedUp = (typeof OF_ACCOUNTS)[number] | Loose;
/** Accounts first: those that lack are seen before anything else is done. */
export const BACKED_UP: readonly BackedUp[] = [...OF_ACCOUNTS, ...LOOSE];
const LOOSE_AT_ONCE = 500;

type Contents = Pick<BackupNote, 'counts' | 'files'>;

/** Where the documents of a collection lie in a backup. */
export function pathOf(collection: BackedUp): string {
  return join(DOCUMENTS_FOLDER, `${collection}.bson`);
}

/** Into `folder`, which is empty. Rejects with a `StoreError` that names the fix. */
export async function backUpMongo(terms: EngineTerms, folder: string): Promise<Contents> {
  const engine = await Engine.connect(terms);
  const writers = new Map<BackedUp, DocumentWriter>();
  try {
    const { version, newest, isCopying } = await schemaStatus(engine);
    if (version === undefined) throw new StoreError('not-found', 'the database holds no store; name the one that does');
    if (isCopying) throw new StoreError('unavailable', 'a copy into this database has not ended: let it end first');
    if (version !== newest)
      throw new StoreError(
        'unavailable',
        `the database has schema version ${version}, this program backs up ${newest}: run sealwire-server migrate up, or back up with the program that runs on it`,
      );
    mkdirSync(join(folder, DOCUMENTS_FOLDER), { mode: 0o700 });
    for (const name of BACKED_UP) writers.set(name, new DocumentWriter(join(folder, pathOf(name))));
    await writeAll(engine, (name, document) => writers.get(name)!.put(document));
    const files: Record<string, FileNote> = {};
    const counts: Record<string, number> = {};
    for (const [name, writer] of writers) {
      files[pathOf(name)] = writer.end();
      writers.delete(name);
      counts[name] = files[pathOf(name)]!.documents;
    }
    return { counts, files };
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    // Of the folder, which is the caller's.
    throw code !== undefined && syscall !== undefined ? error : storeErrorOf(error);
  } finally {
    for (const writer of writers.values()) writer.close();
    await engine.close();
  }
}

async function writeAll(engine: Engine, put: (name: BackedUp, document: object) => void): Promise<void> {
  for await (const states of readAccounts(engine))
    for (const { account, manifests, prekeys, keys } of states) {
      put('accounts', account);
      for (const one of manifests) put('manifests', one);
      for (const one of prekeys) put('prekeys', one);
      for (const one of keys) put('keys', one);
      for (const { id } of account.devices) {
        const mailbox = await readMailbox(engine, id as DeviceId, (mail) => put('mails', mail));
        if (mailbox) put('mailboxes', mailbox);
      }
    }
  for (const name of LOOSE) for await (const document of readLoose(engine, name)) put(name, document);
}

async function* readLoose(engine: Engine, name: string): AsyncGenerator<{ readonly _id: unknown }> {
  const collection = engine.connection.db!.collection<{ _id: mongo.ObjectId }>(name);
  for (let after: mongo.ObjectId | undefined; ; ) {
    const page = await engine.read(() =>
      collection
        .find(after === undefined ? {} : { _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(LOOSE_AT_ONCE)
        .toArray(),
    );
    yield* page;
    if (page.length < LOOSE_AT_ONCE) return;
    after = page.at(-1)!._id;
  }
}

/** What is wrong with it, one line each; it changes nothing, and asks no database. */
export async function faultsOfDocuments(folder: string, { files }: BackupNote): Promise<string[]> {
  const faults: string[] = [];
  const newest = new Map<string, number>();
  for (const name of BACKED_UP) {
    const note = files[pathOf(name)];
    if (!note) {
      faults.push(`${pathOf(name)}: is not named in the note of the backup`);
      continue;
    }
    try {
      for await (const document of readDocuments(join(folder, pathOf(name)), note)) {
        if (name === 'accounts') {
          const { _id, manifest, state } = document as unknown as AccountDocument;
          if (state === 'active' && manifest) newest.set(_id, manifest.version - 1);
        } else if (name === 'manifests') {
          const { address } = document as unknown as ManifestDocument;
          newest.set(address, (newest.get(address) ?? 0) - 1);
        }
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      faults.push(error.message);
    }
  }
  if (faults.length === 0)
    for (const [address, missing] of newest)
      if (missing !== 0) faults.push(`${pathOf('manifests')}: ${missing} lists of devices of ${address} are missing`);
  return faults;
}

/** Of which files the accounts of a backup know: complete ones that last beyond `now`. */
export async function* attachmentsIn(
  folder: string,
  { files }: BackupNote,
  now: number,
): AsyncGenerator<AttachmentsDocument['held'][number]> {
  const note = files[pathOf('attachments')];
  if (!note) return;
  for await (const document of readDocuments(join(folder, pathOf('attachments')), note))
    for (const one of (document as unknown as AttachmentsDocument).held)
      if (one.isComplete && one.expiresAt > now) yield one;
}
