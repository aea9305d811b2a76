/**
 * Which public key is whose (`Waiting` in the port says which keys). A key is claimed before the document that will use it changes,
 * and given back after the document that used it has changed. What a crash leaves behind in between is nobody's: whoever meets it looks
 * whether the owner's documents use the key, and changes their `rev`, so that a claim that is under way begins anew.
 */
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { trusted } from 'mongoose';
import { KeyTakenError, StoreError } from '../port.ts';
import { bin } from './bytes.ts';
import type { AccountDocument, KeyDocument, PrekeyDocument } from './documents.ts';
import { isDuplicate } from './engine.ts';
import { type Ground, nobody } from './ground.ts';
import { pause } from './pause.ts';

export type KeyOwner = AccountAddress | DeviceId;

export interface KeyClaim {
  readonly owner: KeyOwner;
  readonly keys: readonly Uint8Array[];
}

/** What will use the keys: `account`, or a suite; and the `rev` that it will have. */
export interface Holder {
  readonly field: string;
  readonly rev: number;
}

const MOST_ROUNDS = 20;
const PATIENT_ROUNDS = 4;
const WAIT_MS = 20;

/**
 * Throws `KeyTakenError` when another owner uses a key, or two of these claims have one key. Owners in `leaving` go by the same change:
 * their keys are free.
 */
export async function claimKeys(
  ground: Ground,
  claims: readonly KeyClaim[],
  holder: Holder,
  leaving: ReadonlySet<KeyOwner> = new Set(),
): Promise<void> {
  const owners = new Map<string, { readonly owner: KeyOwner; readonly key: Buffer }>();
  for (const { owner, keys } of claims)
    for (const key of keys.map(bin)) {
      const name = key.toString('latin1');
      if ((owners.get(name)?.owner ?? owner) !== owner) throw new KeyTakenError();
      owners.set(name, { owner, key });
    }
  const { engine, documents } = ground;
  const wanted = [...owners.values()];
  const known = await engine.read(() =>
    documents.keys
      .find({ _id: trusted({ $in: wanted.map(({ key }) => key) }) })
      .lean<KeyDocument[]>()
      .exec(),
  );
  // First those that somebody may have: what is refused has claimed nothing.
  for (const { _id, owner } of known) {
    const mine = owners.get(_id.toString('latin1'))!;
    if (owner !== mine.owner) await claimKey(ground, mine.key, mine.owner, holder, leaving);
  }
  for (const { owner, key } of wanted) await claimKey(ground, key, owner, holder, leaving);
}

/** Of a document that does not use them any more, as of its `rev`. */
export async function releaseKeys(
  { engine, documents: { keys } }: Ground,
  owner: KeyOwner,
  released: readonly Uint8Array[],
  field: string,
  rev: number,
): Promise<void> {
  for (const key of released.map(bin)) {
    const held = `held.${field}`;
    await engine.write(() =>
      keys.updateOne({ _id: key, owner, [held]: trusted({ $lte: rev }) }, { $unset: { [held]: 1 } }).exec(),
    );
    await engine.write(() => keys.deleteOne({ _id: key, owner, held: {} }).exec());
  }
}

async function claimKey(
  ground: Ground,
  key: Buffer,
  owner: KeyOwner,
  { field, rev }: Holder,
  leaving: ReadonlySet<KeyOwner>,
): Promise<void> {
  const { engine, documents } = ground;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    try {
      await engine.write(() =>
        documents.keys.updateOne({ _id: key, owner }, { $max: { [`held.${field}`]: rev } }, { upsert: true }).exec(),
      );
      return;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    const known = await engine.read(() => documents.keys.findById(key).lean<KeyDocument>().exec());
    if (!known || known.owner === owner) continue;
    // Whoever claimed it may be about to use it: it has a moment for that before its claim is taken away.
    const isPatient = round < PATIENT_ROUNDS;
    const users = await usersOf(ground, known, isPatient);
    if (users.some((user) => user !== owner && !leaving.has(user))) throw new KeyTakenError();
    if (isPatient && users.length === 0) {
      await pause(WAIT_MS * 2 ** round);
      continue;
    }
    await engine.write(() =>
      documents.keys
        .updateOne({ _id: key, owner: known.owner, held: known.held }, { $set: { owner, held: {} } })
        .exec(),
    );
  }
  throw new StoreError('unavailable', 'others claimed the same key again and again');
}

/**
 * Who uses the key, by the documents that are said to hold it. Unless `asTheyAre`, a change of these that is under way will fail, and
 * begin anew.
 */
async function usersOf(
  ground: Ground,
  { _id: key, owner, held }: KeyDocument,
  asTheyAre: boolean,
): Promise<KeyOwner[]> {
  const users: KeyOwner[] = [];
  for (const field of Object.keys(held)) {
    if (field !== 'account') {
      const bundle = (await prekeysNow(ground, `${owner} ${field}`, asTheyAre))?.bundle;
      if (bundle && [bundle.identityKey, bundle.signedPrekey.publicKey].some((used) => used.equals(key)))
        users.push(owner as KeyOwner);
      continue;
    }
    const address = owner.includes(';gr=') ? accountOf(owner as DeviceId) : (owner as AccountAddress);
    const account = await accountNow(ground, address, asTheyAre);
    if (account?.state === 'active' && account.accountKey?.equals(key)) users.push(address);
    for (const { id, loginKey, identities } of account?.devices ?? [])
      if (loginKey.equals(key) || identities.some(({ identityKey }) => identityKey.equals(key)))
        users.push(id as DeviceId);
  }
  return users;
}

function prekeysNow(
  { engine, documents: { prekeys } }: Ground,
  _id: string,
  asIs: boolean,
): Promise<PrekeyDocument | null> {
  if (asIs) return engine.read(() => prekeys.findById(_id).lean<PrekeyDocument>().exec());
  const fence = { $inc: { rev: 1 }, $setOnInsert: { oneTime: [], claimed: [] } };
  return engine.write(() =>
    prekeys.findOneAndUpdate({ _id }, fence, { upsert: true, returnDocument: 'after' }).lean<PrekeyDocument>().exec(),
  );
}

function accountNow(
  { engine, documents: { accounts } }: Ground,
  address: AccountAddress,
  asIs: boolean,
): Promise<AccountDocument | null> {
  if (asIs) return engine.read(() => accounts.findById(address).lean<AccountDocument>().exec());
  const { _id, rev: _, ...empty } = nobody(address);
  const fence = { $inc: { rev: 1 }, $setOnInsert: empty };
  return engine.write(() =>
    accounts.findOneAndUpdate({ _id }, fence, { upsert: true, returnDocument: 'after' }).lean<AccountDocument>().exec(),
  );
}
