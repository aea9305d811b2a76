/** Attachments, in LMDB: one record each, under the address of the account. */
import type { AccountAddress } from '@sealwire/wire/ids';
import { type Attachment, type Attachments, StoreError } from '../port.ts';
import { isItsAccounts, isSameAttachment } from '../sameness.ts';
import type { Environment } from './environment.ts';
import { readAccount } from './records/account-records.ts';
import {
  attachmentsOf,
  endedAttachments,
  readAttachment,
  removeAttachment,
  writeAttachment,
} from './records/attachment-records.ts';
import type { Writer } from './writer.ts';

export function lmdbAttachments({ databases, renew }: Environment, writer: Writer): Attachments {
  const findIn = (address: AccountAddress, id: string) => {
    const held = readAttachment(databases, address, id);
    return held && isItsAccounts(held) ? held : undefined;
  };
  return {
    async add(address, { id, bytes, handle, expiresAt }, room) {
      const attachment = { id, bytes, handle, isComplete: false, expiresAt };
      const most = { ...room };
      await writer.run(() => {
        const account = readAccount(databases, address);
        if (!account || account === 'gone') throw new StoreError('not-found', 'no such account');
        const known = readAttachment(databases, address, id);
        if (known && isSameAttachment(known, attachment)) return;
        if (known) throw new StoreError('conflict', 'the account has an attachment of that id');
        const held = attachmentsOf(databases, address);
        if (held.length >= most.attachments || sumOf(held) + bytes > most.bytes)
          throw new StoreError('limit', 'the attachments of the account would be too many');
        writeAttachment(databases, address, attachment);
      });
    },

    async find(address, id) {
      renew();
      return findIn(address, id);
    },

    complete(address, id, expiresAt) {
      return writer.run(() => {
        const known = findIn(address, id);
        if (!known || known.isComplete) return known;
        const complete = { ...known, isComplete: true, expiresAt };
        writeAttachment(databases, address, complete);
        return complete;
      });
    },

    remove(address, id) {
      return writer.run(() => removeAttachment(databases, address, id));
    },

    async usage(address) {
      renew();
      const held = attachmentsOf(databases, address);
      return { attachments: held.length, bytes: sumOf(held) };
    },

    async expired(now, limit) {
      renew();
      return endedAttachments(databases, now, limit);
    },
  };
}

function sumOf(held: readonly Attachment[]): number {
  return held.reduce((sum, { bytes }) => sum + bytes, 0);
}
