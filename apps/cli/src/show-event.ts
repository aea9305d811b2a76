/** What the SDK reports, as a JSON record and as a line for people. */
import type { Client } from '@sealwire/client/client';
import type { IncomingEvent } from '@sealwire/client/events';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import { shortName } from './recipient.ts';

export interface ShowOptions {
  /** This machine's clock: with it, a message begins with the time at which it was accepted. */
  readonly now?: () => number;
}

/**
 * Data (messages, gaps) goes to stdout; with `--json` every event does. What was parked is asked for again: printing fails by the fault
 * of a pipe or a disk, not of a message.
 */
export async function showEvent(
  output: Output,
  event: IncomingEvent,
  client: Pick<Client, 'address' | 'parked' | 'retry'>,
  { now }: ShowOptions = {},
): Promise<void> {
  if (event.kind === 'parked' && client.parked().some(({ id }) => id === event.id)) await client.retry(event.id);
  if (output.json) return output.data(recordOf(event), '');
  const own = client.address;
  switch (event.kind) {
    case 'message': {
      const name = shortName(event.from, own);
      const about = event.from === own ? ` (to ${shortName(event.conversation, own)})` : '';
      const text = event.text ?? `[${event.type}, ${event.body.length} bytes]`;
      if (event.trust === 'unsafe') output.warn(`the keys of ${name} have changed: make sure who writes`);
      const time = now ? `${timeOfDay(event.acceptedAt, now())} ` : '';
      return output.data({}, `${time}${name}${about}: ${printable(text, 2)}`);
    }
    case 'gap':
      if (event.count === 0) return output.warn('messages may be missing: the server’s storage was damaged');
      return output.warn(`${event.count} messages were lost: ${REASONS[event.reason]}`);
    case 'undecryptable':
      return output.warn(`a message of ${event.device} cannot be decrypted (${event.code})`);
    case 'identity-change':
      return output.warn(`the keys of ${event.device} have changed: nothing is sent to that account`);
    case 'directory-keys':
      return output.warn(
        event.mended
          ? `the server had lost some of this device’s keys (${event.part}): it has them again`
          : 'the server shows another identity key for this device than ours: whoever writes to you may write to somebody else; ask its operator',
      );
    case 'send-failed':
      return output.warn(`a message to ${shortName(event.to, own)} was not sent: ${printable(event.text, 2)}`);
    case 'left-out':
      return output.warn(leftOutText(event.devices, event.queued));
    case 'parked':
      return output.warn(
        'something that could not be printed five times was set aside: it comes again after the others',
      );
    case 'caught-up':
      return;
  }
}

/** In this machine's time zone: `21:07`, of another day `2026-11-27 21:07`. */
function timeOfDay(at: number, now: number): string {
  const date = new Date(at);
  const [day, today] = [date, new Date(now)].map((each) => each.toDateString());
  const time = date.toTimeString().slice(0, 5);
  if (day === today) return time;
  const two = (number: number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** What a person is told of devices without room. */
export function leftOutText(devices: readonly DeviceId[], queued = false): string {
  const names = devices.join(', ');
  return queued
    ? `no room in the mailbox of ${names}: the message waits in the outbox`
    : `no room in the mailbox of ${names}: the message does not get there`;
}

/** `leftOut` is there when somebody is. */
export function acceptedRecord(id: string, to: AccountAddress, leftOut: readonly DeviceId[]): Record<string, unknown> {
  return { event: 'accepted', id, to, ...(leftOut.length > 0 && { leftOut }) };
}

const REASONS = {
  expired: 'they waited longer than the server keeps them',
  trimmed: 'the mailbox was full, and the oldest ones of whoever had most in it had to go',
  damaged: 'the server’s storage was damaged',
} as const;

function recordOf(event: IncomingEvent): Record<string, unknown> {
  const { kind, ...rest } = event;
  if (event.kind !== 'message') return { event: kind, ...rest };
  const { id, from, device, conversation, type, text, sentAt, acceptedAt, trust, bare } = event;
  const content = text === undefined ? { bytes: Buffer.from(event.body).toString('base64') } : { text };
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
    ...(bare && { bare }),
  };
}
