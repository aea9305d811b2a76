/**
 * From a data folder to a database (docs/operations/moving.md): a server that outgrows its machine takes along all that it has. Numbers
 * of mailboxes, sessions and one-time keys stay as they are. The copy goes on where it was interrupted, and at its end compares all
 * of both sides.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import { MOVED_FILE, markMoved, movedTo } from './lmdb/moved-mark.ts';
import type { LmdbWalk } from './lmdb/walk.ts';
import { openLmdbWalk } from './lmdb.ts';
import {
  acceptedDocument,
  accountDocuments,
  accountRecordDocument,
  attachmentsDocument,
  auditDocument,
  expiryTimeDocument,
  invitationDocument,
  mailboxDocuments,
  nesUserDocument,
  onceDocument,
  operatorRecordDocument,
} from './mongo/copied-documents.ts';
import { type AccountCopy, CopyTarget, digestOfAccount, type LooseCollection } from './mongo/copy-target.ts';
import { digestOf } from './mongo/documents-digest.ts';
import { storeErrorOf } from './mongo/engine.ts';
import { parseUrl, placeOf } from './mongo/server-check.ts';
import { StoreError } from './port.ts';

export interface CopyTerms {
  /** `lmdb:FOLDER`, of a server that is stopped. */
  readonly from: string;
  /** `mongodb://…`, empty, or with a copy of `from` that was interrupted. */
  readonly to: string;
  /** When the copy is made, ms. */
  readonly now: number;
  /** Of the servers that will run there; undefined: whichever the accounts have. */
  readonly domain?: string | undefined;
  /** See `OpenTerms`. */
  readonly production?: boolean;
  /** Hears what is being done and how far it is; false ends the copy there, to be gone on with. */
  readonly report?: (doing: 'copying' | 'comparing', accounts: number, of: number) => boolean;
}

export interface CopyResult {
  readonly accounts: number;
  /** Of their addresses. */
  readonly domains: readonly string[];
  readonly messages: number;
  /** Ids of messages that are remembered. */
  readonly ids: number;
  /** Of both sides, hex. */
  readonly digest: string;
}

const ACCOUNTS_AT_ONCE = 50;
const BYTES_AT_ONCE = 16 << 20;
const LOOSE_AT_ONCE = 1_000;

interface LooseDocument {
  readonly _id: Buffer | string;
}

/**
 * Rejects with a `StoreError` whose line names the fix; the same call again goes on. From its end on no server starts on the folder
 * (`moved-mark.ts`).
 */
export async function copyStore(terms: CopyTerms): Promise<CopyResult> {
  const { from, to, domain, production = true } = terms;
  const folder = /^lmdb:(.+)$/.exec(from)?.[1];
  if (folder === undefined || !/^mongodb(\+srv)?:/.test(to))
    throw new StoreError(
      'not-found',
      'a copy goes from lmdb:FOLDER to mongodb://HOST/DATABASE; between two databases their own tools copy',
    );
  const walk = await openLmdbWalk(folder);
  try {
    const domains = walk.domains();
    if (domain !== undefined && domains.length > 0 && !domains.includes(domain))
      throw new StoreError(
        'conflict',
        `the folder holds accounts of ${domains.join(', ')}, and DOMAIN is ${domain}: set DOMAIN=${domains[0]}`,
      );
    parseUrl(to, production);
    const place = placeOf(to);
    refuseSecondPlace(folder, place);
    const target = await CopyTarget.open({ url: to, production });
    try {
      const copied = await copyAll(walk, target, terms);
      // First, so that never both can be opened.
      markMoved(folder, place);
      await target.finish();
      return { ...copied, domains };
    } finally {
      await target.close();
    }
  } catch (error) {
    throw storeErrorOf(error);
  } finally {
    await walk.close();
  }
}

/** What has moved goes on to the same database only: the copy was interrupted just before its end. */
function refuseSecondPlace(folder: string, place: string): void {
  const before = movedTo(folder);
  if (before === undefined || before === place) return;
  throw new StoreError(
    'conflict',
    `the data folder ${folder} has moved to ${before}: only if no server ever ran there, remove ${MOVED_FILE} in it, and run the same command again`,
  );
}

async function copyAll(
  walk: LmdbWalk,
  target: CopyTarget,
  { now, report = () => true }: CopyTerms,
): Promise<Omit<CopyResult, 'domains'>> {
  const addresses = walk.addresses();
  const goOn = (doing: 'copying' | 'comparing', accounts: number) => {
    if (!report(doing, accounts, addresses.length))
      throw new StoreError('unavailable', 'the copy was interrupted; the same command goes on');
  };
  // Of another folder it is not among them: then all is copied, and the comparison finds what is too much.
  let done = addresses.indexOf(target.after as AccountAddress) + 1;
  let mayBeThere = target.isResumed;
  for (const copies of inBatches(walk, addresses.slice(done))) {
    goOn('copying', done);
    if (mayBeThere) await target.clear(copies);
    mayBeThere = false;
    await target.put(copies);
    done += copies.length;
    await target.note(addresses[done - 1]!, done);
  }
  await target.clearLoose();
  for (const [collection, documents] of looseDocuments(walk, now)) await target.replace(collection, documents);

  const [digests, ids] = [[] as Buffer[], { count: 0 }];
  let [compared, messages] = [0, 0];
  for (const copies of inBatches(walk, addresses)) {
    goOn('comparing', compared);
    digests.push(...(await Promise.all(copies.map((copy) => digestOfBoth(target, copy)))));
    for (const { mailboxes } of copies) for (const { mails } of mailboxes) messages += mails.length;
    compared += copies.length;
  }
  for (const [collection, documents] of looseDocuments(walk, now)) {
    const mine = documents.map(digestOf);
    const theirs = await target.digestsOf(collection, documents);
    if (mine.some((digest, i) => !digest.equals(theirs[i]!)))
      throw new StoreError('corrupt', `the two sides differ in ${collection}: run the same command again`);
    if (collection === 'accepted') ids.count += documents.length;
    digests.push(...mine);
  }
  const accounts = await target.accounts();
  if (accounts !== addresses.length)
    throw new StoreError(
      'corrupt',
      `the database holds ${accounts} accounts, the folder ${addresses.length}: drop the database, and copy into an empty one`,
    );
  return { accounts, messages, ids: ids.count, digest: digestOf(digests).toString('hex') };
}

/** What differs is put once more: a server may have run on the folder between two halves of a copy. */
async function digestOfBoth(target: CopyTarget, copy: AccountCopy): Promise<Buffer> {
  const mine = digestOfAccount(copy);
  if (mine.equals(await target.digestOf(copy))) return mine;
  await target.clear([copy]);
  await target.put([copy]);
  if (mine.equals(await target.digestOf(copy))) return mine;
  throw new StoreError('corrupt', `the two sides differ in ${copy.accounts[0]!._id}: run the same command again`);
}

function* inBatches(walk: LmdbWalk, addresses: readonly AccountAddress[]): Generator<AccountCopy[]> {
  let copies: AccountCopy[] = [];
  let bytes = 0;
  for (const address of addresses) {
    const walked = walk.account(address);
    const mailboxes = walked.devices.map(({ id }) => mailboxDocuments(walk.mailbox(id)));
    copies.push({ ...accountDocuments(walked), mailboxes });
    bytes += mailboxes.reduce((sum, { mailbox }) => sum + mailbox.sum, 0);
    if (copies.length < ACCOUNTS_AT_ONCE && bytes < BYTES_AT_ONCE) continue;
    yield copies;
    [copies, bytes] = [[], 0];
  }
  if (copies.length > 0) yield copies;
}

function* looseDocuments(walk: LmdbWalk, now: number): Generator<[LooseCollection, LooseDocument[]]> {
  yield* batchesOf('accepted', walk.ids(), (one) => acceptedDocument(one, now));
  yield* batchesOf('invitations', walk.invitations(), invitationDocument);
  yield* batchesOf('attachments', walk.attachments(), attachmentsDocument);
  yield* batchesOf('accountrecords', walk.accountRecords(), accountRecordDocument);
  yield* batchesOf('nesusers', walk.nesUsers(), (one) => nesUserDocument(one, now));
  yield* batchesOf('operatorrecords', walk.operatorRecords(), operatorRecordDocument);
  yield* batchesOf('audittrail', walk.auditEntries(), auditDocument);
  yield* batchesOf('once', walk.once(), (one) => onceDocument(one, now));
  const time = walk.expiryTime();
  if (time !== undefined) yield ['times', [expiryTimeDocument(time)]];
}

function* batchesOf<One>(
  collection: LooseCollection,
  all: Iterable<One>,
  documentOf: (one: One) => LooseDocument,
): Generator<[LooseCollection, LooseDocument[]]> {
  let some: LooseDocument[] = [];
  for (const one of all) {
    some.push(documentOf(one));
    if (some.length < LOOSE_AT_ONCE) continue;
    yield [collection, some];
    some = [];
  }
  if (some.length > 0) yield [collection, some];
}
