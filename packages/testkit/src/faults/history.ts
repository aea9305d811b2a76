/**
 * The oracle: what senders were told against what recipients got. It knows nothing of servers, only the promises of the relay
 * (docs/spec/relay-protocol.md): what was accepted arrives at each recipient, once in its mailbox, in the order of each sender.
 */
import type { DeviceId } from '@sealwire/wire/ids';

/** One message as its sender knows it. Each sender counts its messages from 0, and sends them in that order. */
export interface SentMessage {
  readonly sender: DeviceId;
  readonly number: number;
  readonly recipients: readonly DeviceId[];
}

/** One Deliver frame as its recipient got it, repeats included. */
export interface Delivery {
  readonly seq: number;
  readonly sender: DeviceId;
  readonly number: number;
  /** Counts the connections of the recipient. */
  readonly connection: number;
}

/** One line an offence; all empty: the promises were kept. */
export interface Verdict {
  readonly lost: readonly string[];
  /** In a mailbox under two sequence numbers: no repeat of a delivery, but a second copy. */
  readonly duplicated: readonly string[];
  readonly reordered: readonly string[];
  /** Never sent to this device, or two messages under one sequence number. */
  readonly foreign: readonly string[];
  /** Deliveries that an application does not see, because the message was delivered before. No offence. */
  readonly repeats: number;
}

/** `sent`: everything that left; `accepted`: which of it the sender was told to be durable. */
export function judge(
  sent: readonly SentMessage[],
  accepted: (message: SentMessage) => boolean,
  histories: ReadonlyMap<DeviceId, readonly Delivery[]>,
): Verdict {
  const lost: string[] = [];
  const duplicated: string[] = [];
  const reordered: string[] = [];
  const foreign: string[] = [];
  let repeats = 0;

  const sentTo = new Set<string>();
  for (const message of sent) for (const to of message.recipients) sentTo.add(`${nameOf(message)} to ${to}`);
  const arrived = new Set<string>();

  for (const [recipient, deliveries] of histories) {
    const seqOf = new Map<string, number>();
    const messageAt = new Map<number, string>();
    const newestOf = new Map<DeviceId, number>();
    let last = { seq: 0, connection: -1 };
    for (const delivery of deliveries) {
      const message = nameOf(delivery);
      const offence = `${message} to ${recipient}`;
      if (!sentTo.has(offence)) foreign.push(offence);
      const other = messageAt.get(delivery.seq);
      if (other !== undefined && other !== message) foreign.push(`${offence}: number ${delivery.seq} was ${other}`);
      messageAt.set(delivery.seq, message);
      if (delivery.connection === last.connection && delivery.seq <= last.seq)
        reordered.push(`${offence}: ${delivery.seq} after ${last.seq} on one connection`);
      last = delivery;

      const seq = seqOf.get(message);
      if (seq !== undefined) {
        if (seq === delivery.seq) repeats += 1;
        else duplicated.push(`${offence}: ${seq} and ${delivery.seq}`);
        continue;
      }
      seqOf.set(message, delivery.seq);
      arrived.add(offence);
      const newest = newestOf.get(delivery.sender) ?? -1;
      if (delivery.number < newest) reordered.push(`${offence}: after ${newest}`);
      newestOf.set(delivery.sender, Math.max(newest, delivery.number));
    }
  }
  for (const message of sent) {
    if (!accepted(message)) continue;
    for (const to of message.recipients) {
      const expected = `${nameOf(message)} to ${to}`;
      if (!arrived.has(expected)) lost.push(expected);
    }
  }
  return { lost, duplicated, reordered, foreign, repeats };
}

function nameOf({ sender, number }: Pick<SentMessage, 'sender' | 'number'>): string {
  return `${sender} #${number}`;
}
