/** Attachments, in memory. */
import type { AccountAddress } from '@sealwire/wire/ids';
import { type Attachment, type Attachments, StoreError } from '../port.ts';
import { GONE_WITH_ACCOUNT, isItsAccounts, isSameAttachment } from '../sameness.ts';
import type { MemoryState } from './state.ts';

export function memoryAttachments(state: MemoryState): Attachments {
  const heldBy = (address: AccountAddress) => state.attachments.get(address) ?? new Map<string, Attachment>();
  const bytesOf = (held: ReadonlyMap<string, Attachment>) =>
    [...held.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const find = (address: AccountAddress, id: string) => {
    const held = heldBy(address).get(id);
    return held && isItsAccounts(held) ? held : undefined;
  };
  return {
    async add(address, { id, bytes, handle, expiresAt }, room) {
      if (!state.accounts.has(address)) throw new StoreError('not-found', 'no such account');
      const held = heldBy(address);
      const attachment = { id, bytes, handle, isComplete: false, expiresAt };
      const known = held.get(id);
      if (known && isSameAttachment(known, attachment)) return;
      if (known) throw new StoreError('conflict', 'the account has an attachment of that id');
      if (held.size >= room.attachments || bytesOf(held) + bytes > room.bytes)
        throw new StoreError('limit', 'the attachments of the account would be too many');
      state.attachments.set(address, held.set(id, attachment));
    },

    async find(address, id) {
      return find(address, id);
    },

    async complete(address, id, expiresAt) {
      const known = find(address, id);
      if (!known || known.isComplete) return known;
      const complete = { ...known, isComplete: true, expiresAt };
      heldBy(address).set(id, complete);
      return complete;
    },

    async remove(address, id) {
      return heldBy(address).delete(id);
    },

    async usage(address) {
      const held = heldBy(address);
      return { attachments: held.size, bytes: bytesOf(held) };
    },

    async expired(now, limit) {
      const all = [...state.attachments].flatMap(([address, held]) =>
        [...held.values()].map((attachment) => ({ address, attachment })),
      );
      return all.filter(({ attachment }) => attachment.expiresAt <= now).slice(0, limit);
    },
  };
}

/** Their account is gone. */
export function expireAttachments(state: MemoryState, address: AccountAddress): void {
  const held = state.attachments.get(address);
  for (const [id, attachment] of held ?? []) held!.set(id, { ...attachment, expiresAt: GONE_WITH_ACCOUNT });
}
