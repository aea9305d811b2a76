/** Invitations: a use is taken before the account is made, and known by who took it, so that a repeat takes no other one. */
import { trusted } from 'mongoose';
import { type Account, type StoredManifest, StoreError } from '../port.ts';
import { bin, hashOf } from './bytes.ts';
import type { InvitationDocument } from './documents.ts';
import type { Ground } from './ground.ts';

/** One attempt to create an account, and its repeats. */
export function takerOf({ address, accountKey }: Account, { bytes }: StoredManifest): Buffer {
  return hashOf(Buffer.concat([Buffer.from(`${address}\0`), accountKey, bytes]), 16);
}

/** `not-found` when it is not, or no longer, good. */
export async function takeUse(
  { engine, documents: { invitations } }: Ground,
  invitation: { hash: Uint8Array; now: number },
  taker: Buffer,
): Promise<void> {
  const _id = bin(invitation.hash);
  const { matchedCount } = await engine.write(() =>
    invitations
      .updateOne(
        {
          _id,
          uses: trusted({ $gt: 0 }),
          expiresAt: trusted({ $gt: invitation.now }),
          takers: trusted({ $ne: taker }),
        },
        { $inc: { uses: -1 }, $push: { takers: taker } },
      )
      .exec(),
  );
  if (matchedCount === 1) return;
  const mine = await engine.read(() => invitations.countDocuments({ _id, takers: taker }).exec());
  if (mine === 0) throw new StoreError('not-found', 'the invitation is not known, used up or expired');
}

export async function giveUseBack(
  { engine, documents: { invitations } }: Ground,
  { hash }: { hash: Uint8Array },
  taker: Buffer,
): Promise<void> {
  await engine.write(() =>
    invitations.updateOne({ _id: bin(hash), takers: taker }, { $inc: { uses: 1 }, $pull: { takers: taker } }).exec(),
  );
}

export async function setInvitation(
  { engine, documents: { invitations } }: Ground,
  hash: Uint8Array,
  uses: number,
  expiresAt: number,
): Promise<void> {
  await engine.write(() =>
    invitations.updateOne({ _id: bin(hash) }, { $set: { uses, expiresAt, takers: [] } }, { upsert: true }).exec(),
  );
}

/** What is left of it. */
export async function findInvitation(
  { engine, documents: { invitations } }: Ground,
  hash: Uint8Array,
): Promise<{ uses: number; expiresAt: number } | undefined> {
  const found = await engine.read(() => invitations.findById(bin(hash)).lean<InvitationDocument>().exec());
  return found ? { uses: found.uses, expiresAt: found.expiresAt } : undefined;
}
