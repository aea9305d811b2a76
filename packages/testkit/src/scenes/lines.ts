/** What an application is shown, as a line of a transcript. */
import type { GroupChange, IncomingEvent, IncomingMessage } from '@sealwire/client/events';
import type { VerificationState } from '@sealwire/client/verification';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';

/** What a script calls things. */
export interface Names {
  account(address: AccountAddress): string;
  device(id: DeviceId): string;
  /** A group by its address, a message by its id. */
  thing(value: string): string;
}

/** These come beside messages, in no order with them. */
const NOTICES: readonly IncomingEvent['kind'][] = [
  'devices-changed',
  'contacts-changed',
  'contacts-alarm',
  'verification-changed',
  'timer-changed',
  'identity-change',
  'account-reset',
  'directory-key-change',
];

export function isNotice({ kind }: IncomingEvent): boolean {
  return NOTICES.includes(kind);
}

/** Undefined for what no scenario is about: that something was delivered. */
export function lineOf(event: IncomingEvent, own: AccountAddress, names: Names): string | undefined {
  switch (event.kind) {
    case 'caught-up':
    case 'delivered':
      return undefined;
    case 'message':
      return `${writer(event, own, names)}: ${event.text}${aside(event, names)}`;
    case 'message-edited':
      return `${names.account(event.from)} edits ${names.thing(event.id)}: ${event.text}`;
    case 'message-deleted':
      return `${names.account(event.from)} deletes ${names.thing(event.id)}`;
    case 'reaction':
      return `${names.account(event.from)} reacts ${event.emoji} to ${names.thing(event.id)}`;
    case 'change-refused':
      return `refused change of ${names.account(event.from)} to ${names.thing(event.id)}`;
    case 'contact-request':
      return `${names.account(event.from)} asks: ${event.text}`;
    case 'group-invited':
      return `${names.account(event.by)} invites to ${names.thing(event.group)} (${event.members.map(names.account).join(' ')})`;
    case 'group-changed':
      return `${names.account(event.by)} in ${names.thing(event.group)}: ${changeText(event.change, names)}`;
    case 'group-refused':
      return `refused ${event.part} of ${names.account(event.from)}: ${event.code}`;
    case 'group-fork':
      return `${names.account(event.by)} in ${names.thing(event.group)}: fork`;
    case 'undecryptable':
      return `unreadable of ${names.account(accountOf(event.device))}: ${event.code}`;
    case 'identity-change':
      return `identity-change of ${names.device(event.device)}`;
    case 'late':
      return `late: ${event.number} of ${names.device(event.device)}`;
    case 'hole':
      return `missed ${event.last - event.first + 1} of ${names.device(event.device)}`;
    case 'devices-changed': {
      const signed = (sign: string, devices: readonly DeviceId[]) => devices.map((id) => sign + names.device(id));
      return ['devices', ...signed('+', event.added), ...signed('-', event.removed)].join(' ');
    }
    case 'contacts-changed':
      return ['contacts', ...event.changed.map(names.account), ...(event.policy ? [`for ${event.policy}`] : [])].join(
        ' ',
      );
    case 'timer-changed':
      return `timer of ${names.account(event.conversation)}: ${event.lifetime}`;
    case 'verification-changed':
      return `${event.state} ${names.account(event.address)}`;
    case 'device-skipped':
      return `skipped ${names.device(event.device)}: ${event.reason}`;
    default:
      return event.kind;
  }
}

/** Undefined while nobody is asked for anything. */
export function verificationLine({ step, peer, reason }: VerificationState, names: Names): string | undefined {
  const other = names.account(peer);
  if (step === 'offered') return `${other} asks to compare`;
  if (step === 'comparing') return `compare with ${other}`;
  if (step === 'verified') return `verified ${other}`;
  return step === 'ended' ? `comparison with ${other} ended: ${reason}` : undefined;
}

function writer({ from, conversation }: IncomingMessage, own: AccountAddress, names: Names): string {
  const name = names.account(from);
  if (isGroupAddress(conversation)) return `${name} in ${names.thing(conversation)}`;
  return from === own && conversation !== own ? `${name} to ${names.account(conversation)}` : name;
}

function aside({ reply, lifetime, trust }: IncomingMessage, names: Names): string {
  const told = [
    ...(reply ? [`on ${names.thing(reply.id)}`] : []),
    ...(lifetime === undefined ? [] : [`${lifetime} s`]),
    ...(trust === 'untrusted' ? [] : [trust]),
  ];
  return told.length === 0 ? '' : ` (${told.join(', ')})`;
}

function changeText(change: GroupChange, names: Names): string {
  if ('members' in change) return `${change.kind} ${change.members.map(names.account).join(' ')}`;
  if ('subject' in change) return `${change.kind} ${change.subject}`;
  return 'lifetime' in change ? `${change.kind} ${change.lifetime} s` : change.kind;
}
