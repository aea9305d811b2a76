/** What new events of a log mean for the application (docs/spec/groups.md section 6). */
import type { AcceptedEvent, Fork } from '@sealwire/membership/log';
import type { GroupAction } from '@sealwire/wire/group-event';
import type { AccountAddress } from '@sealwire/wire/ids';
import type { GroupChange } from '../events.ts';
import type { DurableEvent } from '../messages/inbox.ts';
import type { Group } from './group.ts';

export interface NewEvents {
  /** Undefined: the group was not known here. */
  readonly before: Group | undefined;
  readonly group: Group;
  readonly accepted: readonly AcceptedEvent[];
  readonly forks: readonly Fork[];
  readonly own: AccountAddress;
}

export function eventsOf({ before, group, accepted, forks, own }: NewEvents): DurableEvent[] {
  const { address, state } = group;
  const isMember = (each: Group | undefined) => each?.members.has(own) ?? false;
  // Who comes to know a group, or is told of one that it is not in, hears of where it stands, and not of a past.
  const told = before && (isMember(before) || isMember(group)) ? accepted : isMember(group) ? accepted.slice(-1) : [];
  const events: DurableEvent[] = told.map(({ event }) => ({
    kind: 'group-changed',
    group: address,
    by: event.actor,
    change: changeOf(event.action),
    at: event.at,
  }));
  for (const { account, number } of forks) events.push({ kind: 'group-fork', group: address, by: account, number });
  const invited = group.invited.get(own);
  if (invited && !before?.invited.has(own)) {
    const members = [...group.members.keys()];
    events.push({ kind: 'group-invited', group: address, by: invited.by, subject: state.subject, members });
  }
  return events;
}

function changeOf(action: GroupAction): GroupChange {
  switch (action.kind) {
    case 'create':
      return { kind: 'created', subject: action.subject };
    case 'invite':
      return { kind: 'invited', members: action.members.map(({ address }) => address) };
    case 'remove':
      return { kind: 'removed', members: [action.member] };
    case 'promote':
      return { kind: 'promoted', members: [action.member] };
    case 'demote':
      return { kind: 'demoted', members: [action.member] };
    case 'join':
      return { kind: 'joined' };
    case 'join-link':
      return { kind: 'joined-by-link' };
    case 'leave':
      return { kind: action.invitation.length > 0 ? 'declined' : 'left' };
    case 'rename':
      return { kind: 'renamed', subject: action.subject };
    case 'timer':
      return { kind: 'timer', lifetime: action.lifetime };
    default:
      return { kind: action.kind };
  }
}
