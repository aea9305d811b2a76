/** What happens to groups, as a line for people. */
import type { Client } from '@sealwire/client/client';
import type {
  GroupChange,
  GroupChangedEvent,
  GroupForkEvent,
  GroupInvitedEvent,
  GroupRefusedEvent,
} from '@sealwire/client/events';
import type { AccountAddress } from '@sealwire/wire/ids';
import { conversationName, type GroupNames } from './group-work.ts';
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import { shortName } from './recipient.ts';

/** For stderr; a warning when somebody may be up to something. */
export function showGroupEvent(
  output: Output,
  event: GroupChangedEvent | GroupInvitedEvent | GroupRefusedEvent | GroupForkEvent,
  client: Pick<Client, 'address'> & GroupNames,
): void {
  const name = conversationName(client, event.group);
  const own = client.address;
  switch (event.kind) {
    case 'group-changed':
      output.note(`${name}: ${shortName(event.by, own)} ${changeText(event.change, own)}`);
      break;
    case 'group-invited': {
      const subject = printable(event.subject);
      const how = `sealwire group join ${JSON.stringify(subject)}, or group decline`;
      output.note(`${shortName(event.by, own)} invites you to ${subject}: ${how}`);
      break;
    }
    case 'group-refused': {
      const what = event.part === 'message' ? 'a message' : 'news';
      output.warn(`${what} of ${shortName(event.from, own)} for ${name} does not count (${printable(event.code)})`);
      break;
    }
    case 'group-fork': {
      const twice = `two devices of ${shortName(event.by, own)} changed ${name} at once`;
      output.warn(`${twice}, or somebody tells its members different things: make sure who is in it`);
      break;
    }
  }
}

function changeText(change: GroupChange, own: AccountAddress): string {
  switch (change.kind) {
    case 'created':
      return 'made the group';
    case 'invited':
    case 'removed':
      return `${change.kind} ${change.members.map((member) => shortName(member, own)).join(', ')}`;
    case 'promoted':
      return `made ${change.members.map((member) => shortName(member, own)).join(', ')} an administrator`;
    case 'demoted':
      return `made ${change.members.map((member) => shortName(member, own)).join(', ')} a member like others`;
    case 'joined':
    case 'joined-by-link':
      return 'is in the group now';
    case 'left':
      return 'has left the group';
    case 'declined':
      return 'does not want to join';
    case 'renamed':
      return `calls the group ${printable(change.subject)}`;
    case 'picture':
      return 'has changed the picture';
    case 'timer':
      return change.lifetime > 0 ? `lets messages be shown for ${change.lifetime} s` : 'lets messages stay';
    case 'link-made':
      return 'has made a link by which people join';
    case 'link-revoked':
      return 'has revoked a link by which people join';
  }
}
