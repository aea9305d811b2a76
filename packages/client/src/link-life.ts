/** What the coming and going of a link means for the parts of an open device, and for which of them each frame is. */
import { isGroupAddress } from '@sealwire/wire/group-address';
import type { ConnectionOptions } from './connection/connection.ts';
import type { ServerNotices } from './connection/server-notices.ts';
import type { ClientBlocks } from './contacts/client-blocks.ts';
import type { ContactSync } from './contacts/contact-sync.ts';
import type { ReceiptSchedule } from './messages/chain/receipt-schedule.ts';
import type { Inbox } from './messages/inbox.ts';
import type { Outbox } from './messages/outbox.ts';
import type { Receiver } from './messages/receiver.ts';
import type { Sender } from './messages/sender.ts';
import type { ClientPresence } from './presence/client-presence.ts';
import type { Typing } from './presence/typing.ts';
import type { Services } from './services.ts';
import type { KeyUpkeep } from './upkeep/key-upkeep.ts';
import type { KeysCheck } from './upkeep/keys-check.ts';
import type { ManifestWatch } from './upkeep/manifest-watch.ts';
import type { Dialogues } from './verification/dialogues.ts';

export interface LinkedParts {
  readonly services: Services;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly receiptSchedule: ReceiptSchedule;
  readonly dialogues: Dialogues;
  readonly manifestWatch: ManifestWatch;
  readonly contactSync: ContactSync;
  readonly upkeep: KeyUpkeep;
  readonly keysCheck: KeysCheck;
  readonly presence: ClientPresence;
  readonly blocks: ClientBlocks;
  readonly typing: Typing;
  readonly serverNotices: ServerNotices;
  /** Whether receipts also go out in messages of their own. */
  readonly receiptMessages: boolean;
  readonly trace: ConnectionOptions['trace'];
}

type LinkLife = Pick<ConnectionOptions, 'online' | 'received' | 'offline' | 'stopped'>;

export function linkLife(parts: LinkedParts): LinkLife {
  const { sender, receiver, receiptSchedule, dialogues, presence, typing } = parts;
  const { manifestWatch, contactSync, upkeep, keysCheck } = parts;
  const periodic = [manifestWatch, contactSync, upkeep, keysCheck];
  return {
    online: () => {
      if (parts.receiptMessages) receiptSchedule.online(owedPairs(parts.services));
      sender.online();
      dialogues.online();
      for (const part of periodic) part.start();
      presence.online();
      void learnBlocks(parts);
    },
    offline: () => {
      for (const part of [receiptSchedule, sender, receiver]) part.offline();
      for (const part of periodic) part.stop();
      presence.offline();
      typing.offline();
    },
    stopped: (reason) => {
      parts.outbox.abandon(reason);
      parts.inbox.end(reason);
    },
    received: (frame) => {
      if (frame.kind === 'accepted') sender.accepted(frame);
      else if (frame.kind === 'rejected') sender.rejected(frame);
      else if (frame.kind === 'left-out') sender.leftOut(frame);
      else if (frame.kind === 'deliver' || frame.kind === 'gap' || frame.kind === 'caught-up') receiver.take(frame);
      else if (frame.kind === 'manifest-published') manifestWatch.hint(frame.version);
      else if (frame.kind === 'contacts-published') contactSync.hint(frame.version);
      else if (frame.kind === 'presence') presence.received(frame);
      else if (frame.kind === 'server-notice') parts.serverNotices.received(frame);
      else if (frame.kind === 'ephemeral-deliver') typing.received(frame);
      else if (frame.kind === 'error') parts.trace('relay-error', { code: frame.code });
    },
  };
}

/** Those whom something is owed since an earlier link. */
function owedPairs({ heard, displays, notices }: Services) {
  const owed = [...heard.owing(), ...displays.owing(), ...notices.addressees()];
  return owed.filter((conversation) => !isGroupAddress(conversation));
}

/** Another device of ours may have blocked somebody to whom this one shows itself. */
async function learnBlocks({ presence, blocks }: LinkedParts): Promise<void> {
  const { online, typing } = presence.settings();
  if (!online && !typing) return;
  // Not to be had now: with the next connection.
  if (await blocks.list().catch(() => undefined)) presence.refresh();
}
