/**
 * The mailboxes' own documents, and what is remembered of them: the newest number that this process knows of. A number is given out by
 * a change that names the newest one before it, so that what is remembered may be old, but never misleads.
 */
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { LRUCache } from 'lru-cache';
import { boxOf, freshToken } from '../bytes.ts';
import type { AccountDocument, MailboxDocument } from '../documents.ts';
import type { Ground } from '../ground.ts';

/** About 200 bytes each. */
const REMEMBERED = 100_000;

/** What is known of a mailbox. */
export interface Head {
  readonly device: DeviceId;
  readonly box: Buffer;
  last: number;
  sum: number;
  /** At most so much is in it. */
  messages: number;
  bytes: number;
}

/** Numbers for one mailbox. */
export interface Reservation {
  readonly head: Head;
  readonly count: number;
  readonly bytes: number;
}

export class Heads {
  private readonly remembered = new LRUCache<DeviceId, Head>({ max: REMEMBERED });

  constructor(private readonly ground: Ground) {}

  /** Of devices that exist; looked up unless remembered. */
  async of(devices: readonly DeviceId[]): Promise<Map<DeviceId, Head>> {
    const heads = new Map<DeviceId, Head>();
    const unknown: DeviceId[] = [];
    for (const device of devices) {
      if (heads.has(device)) continue;
      const head = this.remembered.get(device);
      if (head) heads.set(device, head);
      else unknown.push(device);
    }
    if (unknown.length === 0) return heads;
    for (const [device, { head }] of await this.look(unknown)) heads.set(device, head);
    return heads;
  }

  /** The same as they are now, with their documents; of both the ones that exist. */
  async look(
    devices: readonly DeviceId[],
  ): Promise<Map<DeviceId, { readonly head: Head; readonly mailbox: MailboxDocument }>> {
    const looked = new Map<DeviceId, { readonly head: Head; readonly mailbox: MailboxDocument }>();
    for (const mailbox of await this.documentsOf([...new Set(devices)])) {
      const head = headOf(mailbox);
      this.remembered.set(head.device, head);
      looked.set(head.device, { head, mailbox });
    }
    return looked;
  }

  forget(device: DeviceId): void {
    this.remembered.delete(device);
  }

  /** The mailboxes of those devices that exist; made where there is none yet. */
  async documentsOf(devices: readonly DeviceId[]): Promise<MailboxDocument[]> {
    const { engine, documents } = this.ground;
    const boxes = new Map(devices.map((device) => [device, boxOf(device)]));
    const find = (wanted: readonly DeviceId[]) =>
      engine.read(() =>
        documents.mailboxes
          .find({ _id: { $in: wanted.map((device) => boxes.get(device)!) } })
          .batchSize(wanted.length + 1)
          .toArray(),
      );
    const found = await find(devices);
    const known = new Set(found.map(({ device }) => device));
    const missing = devices.filter((device) => !known.has(device));
    if (missing.length > 0) {
      const listed = await this.listed(missing);
      if (listed.length > 0) {
        await engine.write(() =>
          documents.mailboxes.bulkWrite(
            listed.map((device) => ({
              updateOne: {
                filter: { _id: boxes.get(device)! },
                update: { $setOnInsert: emptyMailbox(device) },
                upsert: true,
              },
            })),
            { ordered: false },
          ),
        );
        found.push(...(await find(listed)));
      }
    }
    return found.filter(({ gone }) => !gone);
  }

  /**
   * Gives out numbers: the first of each reservation, in their order. Undefined where the device has gone. A number that
   * was given out and is not used is a hole, which readers close.
   */
  async reserve(reservations: readonly Reservation[]): Promise<(number | undefined)[]> {
    if (reservations.length === 0) return [];
    const { engine, documents } = this.ground;
    const by = freshToken();
    const { matchedCount } = await engine.write(() =>
      documents.mailboxes.bulkWrite(
        reservations.map(({ head, count, bytes }) => ({
          updateOne: {
            filter: { _id: head.box, last: head.last, gone: { $exists: false } },
            update: { $set: { last: head.last + count, by }, $inc: { sum: bytes } },
          },
        })),
        { ordered: false },
      ),
    );
    if (matchedCount === reservations.length)
      return reservations.map((reservation) => took(reservation, reservation.head.last + 1));
    // Others gave out numbers meanwhile: then by what is there, whatever it is.
    const boxes = reservations.map(({ head }) => head.box);
    const mine = await engine.read(() =>
      documents.mailboxes
        .find({ _id: { $in: boxes }, by }, { projection: { device: 1 } })
        .batchSize(boxes.length + 1)
        .toArray(),
    );
    const done = new Set(mine.map(({ device }) => device));
    return Promise.all(
      reservations.map((reservation) =>
        done.has(reservation.head.device)
          ? took(reservation, reservation.head.last + 1)
          : this.reserveNext(reservation),
      ),
    );
  }

  private async reserveNext(reservation: Reservation): Promise<number | undefined> {
    const { engine, documents } = this.ground;
    const { head, count, bytes } = reservation;
    const after = await engine.write(() =>
      documents.mailboxes.findOneAndUpdate(
        { _id: head.box, gone: { $exists: false } },
        { $inc: { last: count, sum: bytes }, $set: { by: freshToken() } },
        { returnDocument: 'after' },
      ),
    );
    if (!after) {
      this.forget(head.device);
      return undefined;
    }
    Object.assign(head, { ...headOf(after), messages: head.messages, bytes: head.bytes });
    head.messages = Math.max(head.messages + count, after.last - after.acked);
    head.bytes = Math.max(head.bytes + bytes, after.sum - after.sumGone);
    return after.last - count + 1;
  }

  private async listed(devices: readonly DeviceId[]): Promise<DeviceId[]> {
    const { engine, documents } = this.ground;
    const accounts = await engine.read(() =>
      documents.accounts.collection
        .find<Pick<AccountDocument, 'devices'>>(
          { _id: { $in: [...new Set(devices.map(accountOf))] } as never },
          { projection: { 'devices.id': 1 } },
        )
        .batchSize(devices.length + 1)
        .toArray(),
    );
    const there = new Set(accounts.flatMap((account) => account.devices.map(({ id }) => id)));
    return devices.filter((device) => there.has(device));
  }
}

function took({ head, count, bytes }: Reservation, first: number): number {
  head.last += count;
  head.sum += bytes;
  head.messages += count;
  head.bytes += bytes;
  return first;
}

function headOf({ _id, device, last, sum, sumGone, acked }: MailboxDocument): Head {
  return { device: device as DeviceId, box: _id, last, sum, messages: last - acked, bytes: sum - sumGone };
}

function emptyMailbox(device: DeviceId): Omit<MailboxDocument, '_id'> {
  return {
    device,
    last: 0,
    sum: 0,
    sumGone: 0,
    acked: 0,
    settled: 0,
    session: 0,
    gap: null,
    losing: [],
    rev: 1,
    by: Buffer.alloc(0),
  };
}
