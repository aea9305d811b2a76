/**
 * One account's document: read, changed only if nobody changed it meanwhile, and cleared of what its last change left to do. The change
 * of the document is the commit point of every call on accounts, manifests, devices and waiting ones.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import { StoreError } from '../port.ts';
import { clearAway } from './clearing.ts';
import type { AccountDocument } from './documents.ts';
import { isDuplicate } from './engine.ts';
import { type Ground, nobody } from './ground.ts';
import { pause } from './pause.ts';

/** App passwords change by themselves, but go with their account. */
export type AccountChanges = Partial<Omit<AccountDocument, '_id' | 'rev'>>;

const MOST_ROUNDS = 40;

export function readAccount({ engine, documents }: Ground, address: AccountAddress): Promise<AccountDocument | null> {
  return engine.read(() => documents.accounts.findById(address).lean<AccountDocument>().exec());
}

/** Replaces `before`, if it still is what is there. False: it is not. */
export async function replaceAccount(
  { engine, documents: { accounts } }: Ground,
  before: AccountDocument,
  changes: AccountChanges,
): Promise<boolean> {
  const rev = before.rev + 1;
  if (before.rev === 0) {
    try {
      await engine.write(() => accounts.create([{ ...before, ...changes, rev }]));
      return true;
    } catch (error) {
      if (isDuplicate(error)) return false;
      throw error;
    }
  }
  const { matchedCount } = await engine.write(() =>
    accounts.updateOne({ _id: before._id, rev: before.rev }, { $set: { ...changes, rev } }).exec(),
  );
  return matchedCount === 1;
}

/**
 * Decides again and again on what is there until the change that it decided on was made; then clears away what the change left. `decide`
 * answers what the call answers, and the changes, if any.
 */
export async function changeAccount<Answer>(
  ground: Ground,
  address: AccountAddress,
  decide: (account: AccountDocument) => Promise<{ answer: Answer; changes?: AccountChanges }>,
): Promise<Answer> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = (await readAccount(ground, address)) ?? nobody(address);
    const { answer, changes } = await decide(before);
    const isDone = changes === undefined || (await replaceAccount(ground, before, changes));
    if (isDone) {
      await clearAway(ground, { ...before, ...changes, rev: before.rev + (changes ? 1 : 0) });
      return answer;
    }
    await pause(round);
  }
  throw new StoreError('unavailable', 'others changed the account again and again');
}

/** It has keys now, and keeps its name for good; what it is then. */
export function finishAccount(ground: Ground, address: AccountAddress): Promise<AccountDocument | null> {
  return changeAccount(ground, address, async (account) => {
    const isUnfinished = account.state === 'active' && typeof account.unfinishedSince === 'number';
    return { answer: account, ...(isUnfinished && { changes: { unfinishedSince: null } }) };
  });
}
