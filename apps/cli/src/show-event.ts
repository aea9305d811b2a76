/** What the SDK reports, as a JSON record and as a line for people. */
import type { Client } from '@sealwire/client/client';
import type {
  HoleEvent,
  IncomingEvent,
  MessageEditedEvent,
  MessageRefusedEvent,
  ReceiptEvent,
  SentAgainEvent,
} from '@sealwire/client/events';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, accountOf } from '@sealwire/wire/ids';
import { leftOutText } from './accepted.ts';
import { type FileKeeper, type MessageFile, messageFile } from './files/message-file.ts';
import { conversationName, type GroupNames } from './group-work.ts';
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import { shortName } from './recipient.ts';
import { showGroupEvent } from './show-group-event.ts';

export interface ShowOptions {
  /** This machine's clock: with it, a message begins with the time at which it was accepted. */
  readonly now?: () => number;
}

/** Where a parked event is asked for again. */
interface EventRetry {
  readonly inbox: Pick<Client['inbox'], 'parked' | 'retry'>;
}

/**
 * Data (messages, gaps) goes to stdout; with `--json` every event does. What was parked is asked for again: printing fails by the fault
 * of a pipe or a disk, not of a message.
 */
export async function showEvent(
  output: Output,
  event: IncomingEvent,
  client: Pick<Client, 'address'> & EventRetry & GroupNames & FileKeeper,
  { now }: ShowOptions = {},
): Promise<void> {
  if (event.kind === 'parked' && client.inbox.parked().some(({ id }) => id === event.id))
    await client.inbox.retry(event.id);
  const file = event.kind === 'message' ? await messageFile(event, client) : undefined;
  if (output.json) return output.data(recordOf(event, file), '');
  const own = client.address;
  switch (event.kind) {
    case 'message': {
      const name = shortName(event.from, own);
      const about = placeOf(event, client);
      const text = file?.text ?? event.text ?? `[${event.type}, ${event.body.length} bytes]`;
      if (event.trust === 'unsafe') output.warn(`the keys of ${name} have changed: make sure who writes`);
      const time = now ? `${timeOfDay(event.acceptedAt, now())} ` : '';
      return output.data({}, `${time}${name}${about}: ${printable(text, 2)}`);
    }
    case 'gap':
      if (event.count === 0) return output.warn('messages may be missing: the server’s storage was damaged');
      return output.warn(`${event.count} messages were lost: ${REASONS[event.reason]}`);
    case 'undecryptable':
      // `session-restarted` has said it; what does not come again is told of.
      if (event.asked) return;
      return output.warn(`a message of ${event.device} cannot be decrypted (${event.code})`);
    case 'session-restarted':
      return output.warn(
        `${printable(event.device)} wrote what cannot be read (${printable(event.code)}): a new session is begun${event.asked ? ', and what it wrote is asked for again' : ''}`,
      );
    case 'messages-gone':
      return output.warn(
        `${countOf(event.messages)} of ${printable(event.device)} could not be read and cannot be had again: ask for ${event.messages === 1 ? 'it' : 'them'} in another way`,
      );
    case 'sent-again':
      return output.warn(sentAgainText(event));
    case 'message-refused':
      return output.warn(refusedText(event));
    case 'identity-change':
      return output.warn(
        `the keys of ${event.device} have changed: nothing is sent to that account; find out why, then: sealwire trust accept -t ${shortName(accountOf(event.device), own)}`,
      );
    case 'directory-key-change':
      return output.warn(
        'the server’s key directory signs with another key: nothing is believed of it; ask its operator, then: sealwire trust accept-server',
      );
    case 'account-reset': {
      const action = event.address === own ? '' : `: sealwire trust accept -t ${shortName(event.address, own)}`;
      return output.warn(`${printable(event.text)}${action}`);
    }
    case 'devices-changed':
      for (const device of event.added)
        output.warn(
          `your account has a new device: ${device}; if that was not you: sealwire devices undo, after ten minutes sealwire devices remove '${device}'`,
        );
      for (const device of event.removed) output.warn(`a device has left your account: ${device}`);
      return;
    case 'contacts-changed':
      return output.note(
        event.policy ? `another of your devices has chosen: contacts policy ${event.policy}` : 'contacts have changed',
      );
    case 'timer-changed':
      return output.note(
        `another of your devices has set: what you write to ${shortName(event.conversation, own)} ${event.lifetime === 0 ? 'has no end' : `is shown for ${event.lifetime} seconds`}`,
      );
    case 'verification-changed':
      return event.state === 'different'
        ? output.warn(
            `another of your devices saw other characters than ${shortName(event.address, own)}: nothing is sent`,
          )
        : output.note(
            `another of your devices has ${event.state === 'verified' ? 'verified' : 'taken back that you verified'} ${shortName(event.address, own)}`,
          );
    case 'contacts-alarm':
      return output.warn(ALARMS[event.reason]);
    case 'contact-request': {
      const name = shortName(event.from, own);
      const text = printable(event.text ?? `[${event.type}]`, 2);
      return output.data({}, `${name} asks to write to you: ${text} (sealwire contacts accept ${name})`);
    }
    case 'directory-keys':
      return output.warn(
        event.mended
          ? `the server had lost some of this device’s keys (${event.part}): it has them again`
          : 'the server shows another identity key for this device than ours: whoever writes to you may write to somebody else; ask its operator',
      );
    case 'send-failed':
      return output.warn(
        `a message to ${conversationName(client, event.to)} was not sent: ${printable(event.text, 2)}`,
      );
    case 'left-out':
      return output.warn(leftOutText(event.devices, event.queued));
    case 'parked':
      return output.warn(
        'something that could not be printed five times was set aside: it comes again after the others',
      );
    case 'hole':
      return output.warn(holeText(event, own));
    case 'late':
      return output.warn(
        `the next message of ${printable(event.device)} comes after ones that were written later: the server changed the order`,
      );
    case 'fork':
      return output.warn(
        event.seenBy
          ? `somebody else writes in the name of this device (${printable(event.seenBy)} has a message that it did not write): is a copy of its keys in use?`
          : `there are two of ${printable(event.device)}, or it was put back to an older state: it writes different things under one number; make sure who writes`,
      );
    case 'not-arrived':
      return output.warn(
        `${countOf(event.ids.length)} to ${conversationName(client, event.to)} did not arrive at ${printable(event.device)}, though the server took ${event.ids.length === 1 ? 'it' : 'them'}`,
      );
    case 'device-skipped':
    case 'member-skipped':
      return output.warn(printable(event.text));
    case 'message-edited':
      return output.data(
        {},
        `${shortName(event.from, own)}${placeOf(event, client)} changes a message: ${printable(event.text ?? `[${event.type}]`, 2)}`,
      );
    case 'message-deleted':
      return output.data({}, `${shortName(event.from, own)}${placeOf(event, client)} deletes a message`);
    case 'reaction':
      return output.data(
        {},
        `${shortName(event.from, own)}${placeOf(event, client)} reacts: ${printable(event.emoji)}`,
      );
    case 'change-refused':
      return output.warn(
        `${shortName(event.from, own)} wants to change a message of somebody else: nothing is changed`,
      );
    case 'group-changed':
    case 'group-invited':
    case 'group-refused':
    case 'group-fork':
      return showGroupEvent(output, event, client);
    case 'send-waits':
      return output.warn(
        `a message to ${conversationName(client, event.to)} waits in the outbox: ${printable(event.text)}`,
      );
    case 'delivered':
    case 'displayed':
      return output.note(receiptText(client, event));
    case 'not-delivered':
      return output.warn(
        `${printable(event.device)} could not take ${countOf(event.ids.length)} of yours to ${conversationName(client, event.to)}`,
      );
    // For programs: a line of text is as new or old as it was.
    case 'displayed-elsewhere':
    case 'caught-up':
      return;
  }
}

/** Beside the name of who writes. */
function placeOf(
  { from, conversation }: { readonly from: AccountAddress; readonly conversation: AccountAddress },
  client: Pick<Client, 'address'> & GroupNames,
): string {
  if (from === client.address) return ` (to ${conversationName(client, conversation)})`;
  return conversation === from ? '' : ` (in ${conversationName(client, conversation)})`;
}

function receiptText(client: Pick<Client, 'address'> & GroupNames, { kind, to, device, ids }: ReceiptEvent): string {
  const name = conversationName(client, to);
  const who = isGroupAddress(to) ? `${shortName(accountOf(device), client.address)} (in ${name})` : name;
  return `${who} has${kind === 'delivered' ? '' : ' read'} ${countOf(ids.length)} of yours`;
}

/** In this machine's time zone: `21:07`, of another day `2026-11-27 21:07`. */
export function timeOfDay(at: number, now: number): string {
  const date = new Date(at);
  const [day, today] = [date, new Date(now)].map((each) => each.toDateString());
  const time = date.toTimeString().slice(0, 5);
  if (day === today) return time;
  const two = (number: number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** At most so many: not every number was used. */
function holeText({ device, conversation, first, last, told, restarted }: HoleEvent, own: AccountAddress): string {
  const size = last - first + 1;
  const what = `${size === 1 ? '1 message' : `up to ${size} messages`} of ${printable(device)} with ${shortName(conversation, own)}`;
  if (restarted)
    return `${what} are not here: the session with it was broken, as when a profile is put back to an older state`;
  if (told >= size) return `${what} did not arrive, as was said above`;
  return `${what} did not arrive, and the server ${told === 0 ? 'does not say why' : `told of ${told} only`}`;
}

function sentAgainText({ device, ids, gone }: SentAgainEvent): string {
  const again =
    ids.length > 0 ? `${countOf(ids.length)} of yours, which ${ids.length === 1 ? 'is' : 'are'} sent again` : '';
  const lost = gone > 0 ? `${countOf(gone)} that cannot be sent again` : '';
  return `${printable(device)} could not read ${[again, lost].filter(Boolean).join(', and ')}`;
}

function refusedText({ device, refusals }: MessageRefusedEvent): string {
  const codes = [...new Set(refusals.map(({ statusCode }) => statusCode))];
  const why = codes.every((code) => code === 488)
    ? 'it does not have the encryption engine that made them, or did not choose it'
    : `its encryption engine answers ${codes.join(', ')}`;
  return `${printable(device)} cannot read ${countOf(refusals.length)} of yours: ${why}`;
}

function countOf(messages: number): string {
  return messages === 1 ? 'a message' : `${messages} messages`;
}

const ALARMS = {
  'rolled-back':
    'the server showed an older contact list than before: it was restored from a backup, or lies; it has the newer one again',
  forked: 'the server showed another contact list than this device left there: it has both again, in one',
  forged: 'the server shows a contact list that no device of yours has written: ask its operator',
} as const;

const REASONS = {
  expired: 'they waited longer than the server keeps them',
  trimmed: 'the mailbox was full, and the oldest ones of whoever had most in it had to go',
  damaged: 'the server’s storage was damaged',
} as const;

function recordOf(event: IncomingEvent, file: MessageFile | undefined): Record<string, unknown> {
  const { kind, ...rest } = event;
  if (event.kind === 'message-edited') {
    const { body, type, text } = event;
    const content = text === undefined ? { bytes: Buffer.from(body).toString('base64') } : { text };
    return { event: kind, ...aboutOf(event), type, ...content };
  }
  if (event.kind !== 'message') return { event: kind, ...rest };
  const { id, from, device, conversation, type, text, sentAt, acceptedAt, trust, bare } = event;
  // Those that there are: a record has no key of what is undefined.
  const { reply, mentions, lifetime, requests, number } = event;
  const content =
    file?.record ?? (text === undefined ? { bytes: Buffer.from(event.body).toString('base64') } : { text });
  return {
    event: kind,
    id,
    from,
    device,
    conversation,
    type,
    ...content,
    sentAt,
    acceptedAt,
    trust,
    reply,
    mentions,
    lifetime,
    requests,
    number,
    ...(bare && { bare }),
  };
}

function aboutOf({ id, conversation, from, device, sentAt, acceptedAt }: MessageEditedEvent): Record<string, unknown> {
  return { id, conversation, from, device, sentAt, acceptedAt };
}
