/**
 * All accounts of a database that servers go on changing, each as one committed state: an account is read, what hangs on it, and the account
 * again; one that changed in between is read anew. A mailbox is its head, and then what is in it: what came before the call is there.
 */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { mongo } from 'mongoose';
import type { Device } from '../port.ts';
import { keysOfDevice } from '../sameness.ts';
import { boxOf, LAST_SEQ, mailId, seqOf } from './bytes.ts';
import type {
  AccountDocument,
  KeyDocument,
  MailboxDocument,
  MailDocument,
  ManifestDocument,
  PrekeyDocument,
  StoredMailDocument,
} from './documents.ts';
import type { Engine } from './engine.ts';
import { isMessage } from './mailboxes/losses.ts';

const ACCOUNTS_AT_ONCE = 50;
const MAILS_AT_ONCE = 100;
/** An account that somebody changes again and again is taken as it is then. */
const MOST_ROUNDS = 5;
/** No call of a server wrote it. */
const NOBODY = Buffer.alloc(0);

export interface AccountState {
  readonly account: AccountDocument;
  readonly manifests: readonly ManifestDocument[];
  readonly prekeys: readonly PrekeyDocument[];
  readonly keys: readonly KeyDocument[];
}

/** Every account that was there when it began, in batches, by address. */
export async function* readAccounts(engine: Engine): AsyncGenerator<AccountState[]> {
  const accounts = of<AccountDocument>(engine, 'accounts');
  for (let after = ''; ; ) {
    const found = await engine.read(() =>
      accounts
        .find({ _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(ACCOUNTS_AT_ONCE)
        .toArray(),
    );
    if (found.length === 0) return;
    yield await settled(engine, found);
    after = found.at(-1)!._id;
  }
}

/** Its messages one by one as they are read, then the head that fits them. Undefined: nothing was ever in it, or its device has gone. */
export async function readMailbox(
  engine: Engine,
  device: DeviceId,
  onMail: (mail: StoredMailDocument) => void,
): Promise<MailboxDocument | undefined> {
  const _id = boxOf(device);
  const head = await engine.read(() => of<MailboxDocument>(engine, 'mailboxes').findOne({ _id }));
  if (!head || head.gone) return undefined;
  const losing = new Set(head.losing);
  let [last, sum] = [head.last, 0];
  for (let after = head.acked; ; ) {
    const page: MailDocument[] = await engine.read(() =>
      of<MailDocument>(engine, 'mails')
        .find({ _id: { $gt: mailId(_id, after), $lte: mailId(_id, LAST_SEQ) } })
        .sort({ _id: 1 })
        .limit(MAILS_AT_ONCE)
        .toArray(),
    );
    for (const mail of page) {
      after = seqOf(mail._id);
      if (!isMessage(mail) || losing.has(after)) continue;
      sum += mail.size;
      last = Math.max(last, after);
      // Whose repeat it could be is not kept: a repeat comes again, and its recipient knows it.
      onMail({ ...mail, key: NOBODY });
    }
    if (page.length < MAILS_AT_ONCE) break;
  }
  // Numbers that were under way: whoever writes under them does so in the database that is read, not in the copy.
  return { ...head, last, sum, sumGone: 0, settled: last, losing: [], by: NOBODY };
}

async function settled(engine: Engine, found: readonly AccountDocument[]): Promise<AccountState[]> {
  const states: AccountState[] = [];
  for (let round = 1, left = found; left.length > 0; round++) {
    const read = await Promise.all(left.map((account) => stateOf(engine, account)));
    const now = await again(engine, left);
    const isSame = ({ account }: AccountState) => now.get(account._id)?.rev === account.rev;
    states.push(...read.filter((state) => round === MOST_ROUNDS || isSame(state)));
    left = round === MOST_ROUNDS ? [] : read.flatMap((s) => (isSame(s) ? [] : (now.get(s.account._id) ?? [])));
  }
  return states;
}

async function again(engine: Engine, accounts: readonly AccountDocument[]): Promise<Map<string, AccountDocument>> {
  const _id = { $in: accounts.map((account) => account._id) };
  const found = await engine.read(() => of<AccountDocument>(engine, 'accounts').find({ _id }).toArray());
  return new Map(found.map((account) => [account._id, account]));
}

async function stateOf(engine: Engine, account: AccountDocument): Promise<AccountState> {
  const address = account._id;
  const [manifests, prekeys] = await Promise.all([
    engine.read(() => of<ManifestDocument>(engine, 'manifests').find({ address }).toArray()),
    engine.read(() =>
      of<PrekeyDocument>(engine, 'prekeys')
        .find({ _id: { $gte: `${address};gr=`, $lt: `${address};gr>` } })
        .toArray(),
    ),
  ]);
  const there = new Set([...account.devices, ...account.waiting].map(({ id }) => id));
  const ofDevices = prekeys.filter(({ _id }) => there.has(_id.slice(0, _id.lastIndexOf(' '))));
  return {
    // What has left is not taken along, so there is nothing to clear away.
    account: { ...account, leaving: [] },
    manifests: manifests.filter(({ version }) => version < (account.manifest?.version ?? 0)),
    prekeys: ofDevices,
    keys: keysOf(account, ofDevices),
  };
}

/** Whose each public key is that these documents use. */
function keysOf(account: AccountDocument, prekeys: readonly PrekeyDocument[]): KeyDocument[] {
  const keys = new Map<string, { _id: Buffer; owner: string; held: Record<string, number> }>();
  const hold = (owner: string, key: Uint8Array, field: string, rev: number) => {
    const _id = Buffer.from(key);
    const known = keys.get(_id.toString('latin1')) ?? { _id, owner, held: {} };
    known.held[field] = rev;
    keys.set(_id.toString('latin1'), known);
  };
  if (account.accountKey) hold(account._id as AccountAddress, account.accountKey, 'account', account.rev);
  for (const device of account.devices)
    for (const key of keysOfDevice(device as unknown as Device)) hold(device.id, key, 'account', account.rev);
  for (const { _id, bundle, rev } of prekeys) {
    const [, device = '', suite = ''] = /^(.+) (\S+)$/.exec(_id) ?? [];
    if (bundle) for (const key of [bundle.identityKey, bundle.signedPrekey.publicKey]) hold(device, key, suite, rev);
  }
  return [...keys.values()];
}

function of<Document extends object>(engine: Engine, name: string): mongo.Collection<Document> {
  return engine.connection.db!.collection<Document>(name);
}
