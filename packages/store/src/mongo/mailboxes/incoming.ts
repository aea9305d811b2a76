/** A message on its way into mailboxes. */
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { AppendResult, Mail, Room } from '../../port.ts';
import { acceptedKey, accountTag, mailId } from '../bytes.ts';
import type { AcceptedDocument, StoredMailDocument } from '../documents.ts';

/** A message with its mailboxes, each once. */
export interface Incoming {
  readonly mail: Mail;
  readonly key: Buffer;
  readonly from: Buffer;
  readonly parts: readonly Part[];
}

/** What one mailbox gets of a message. */
export interface Part {
  readonly device: DeviceId;
  /** Once for each time that the device is named. */
  readonly bodies: readonly Buffer[];
  readonly messages: number;
  readonly bytes: number;
  readonly at: number;
  /** Instead of the limits'. */
  readonly room: Room | undefined;
}

/** `parts` of a message that have room; `refused`: the others. */
export interface Admitted {
  readonly incoming: Incoming;
  readonly parts: readonly Part[];
  readonly refused: readonly DeviceId[];
}

export type Place = AcceptedDocument['to'][number];

/** A message that has its numbers: `bodies[i]` into `to[i]`. */
export interface Placed {
  readonly incoming: Incoming;
  readonly to: readonly Place[];
  readonly bodies: readonly Buffer[];
  readonly refused: readonly DeviceId[];
}

/** Copies what it is given. */
export function incomingOf(mail: Mail): Incoming {
  const parts = new Map<DeviceId, { room: Room | undefined; bodies: Buffer[] }>();
  for (const { device, own, room } of mail.recipients) {
    const body = Buffer.concat([...mail.shared, ...own]);
    const part = parts.get(device);
    if (part) part.bodies.push(body);
    else parts.set(device, { room, bodies: [body] });
  }
  return {
    mail: { ...mail, digest: mail.digest.slice(), recipients: [...mail.recipients] },
    key: acceptedKey(mail.sender, mail.id),
    from: accountTag(accountOf(mail.sender)),
    parts: [...parts].map(([device, { room, bodies }]) => ({
      device,
      room,
      bodies,
      at: mail.at,
      messages: bodies.length,
      bytes: bodies.reduce((sum, body) => sum + body.length, 0),
    })),
  };
}

export function mailOf({ mail, key, from }: Incoming, body: Buffer, { box, seq }: Place): StoredMailDocument {
  return { _id: mailId(box, seq), key, from, at: mail.at, size: body.length, body };
}

/** What goes into the `nth` of the places: a device that is named twice has two of them, in their order. */
export function bodyAt({ parts }: Incoming, to: readonly Place[], nth: number): Buffer {
  const { device } = to[nth]!;
  const before = to.slice(0, nth).filter((place) => place.device === device).length;
  return parts.find((part) => part.device === device)!.bodies[before]!;
}

export function acceptedAs({ mail }: Incoming, to: readonly Place[], refused: readonly DeviceId[]): AppendResult {
  const left = [...to];
  const seqs = mail.recipients.map(({ device }) => {
    const nth = left.findIndex((place) => place.device === device);
    return nth < 0 ? 0 : left.splice(nth, 1)[0]!.seq;
  });
  return { status: 'accepted', seqs, refused };
}
