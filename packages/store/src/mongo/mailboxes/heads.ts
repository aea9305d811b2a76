/**
 * The mailboxes' own documents, and what is remembered of them: the newest number that this process knows of. A number is given out by
 * a change that names the newest one before it, so that what is remembered may be old, but never misleads.
 */
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { LRUCache } from 'lru-cache';
import { boxOf, freshToken } from '../bytes.ts';
import { type AccountDocument, emptyMailbox, type MailboxDocument } from '../documents.ts';
import { together } from '../engine.ts';
import type { Ground } from '../ground.ts';

/** About 200 bytes each. */
const REMEMBERED = 100_000;

/** Attempts to give out numbers for all mailboxes of a batch at once, beside other nodes that do the same. */
const ROUNDS = 3;

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
  /** By sizes, because by `max` it would set room aside for all of them when it is made. */
  private readonly remembered = new LRUCache<DeviceId, Head>({ maxSize: REMEMBERED, sizeCalculation: () => 1 });

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
    const firsts = new Map<Reservation, number>();
    let left = reservations;
    for (let round = 0; round < ROUNDS && left.length > 0; round++) left = await this.reserveTogether(left, firsts);
    await together(
      left.map(async (reservation) => {
        const first = await this.reserveNext(reservation);
        if (first !== undefined) firsts.set(reservation, first);
      }),
    );
    return reservations.map((reservation) => firsts.get(reservation));
  }

  /** Those left over: others gave out numbers of these mailboxes meanwhile, and their newest is known now. */
  private async reserveTogether(
    reservations: readonly Reservation[],
    firsts: Map<Reservation, number>,
  ): Promise<readonly Reservation[]> {
    const { engine, documents } = this.ground;
    const by = freshToken();
    const take = (reservation: Reservation) =>
      void firsts.set(reservation, took(reservation, reservation.head.last + 1));
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
    if (matchedCount === reservations.length) {
      reservations.forEach(take);
      return [];
    }
    const found = await engine.read(() =>
      documents.mailboxes
        .find({ _id: { $in: reservations.map(({ head }) => head.box) } }, { projection: { losing: 0 } })
        .batchSize(reservations.length + 1)
        .toArray(),
    );
    const mailboxes = new Map(found.map((mailbox) => [mailbox.device, mailbox]));
    return reservations.filter((reservation) => {
      const { head } = reservation;
      const mailbox = mailboxes.get(head.device);
      if (!mailbox || mailbox.gone) {
        this.forget(head.device);
        return false;
      }
      const isMine = mailbox.by.equals(by);
      if (isMine) take(reservation);
      else renew(head, mailbox);
      return !isMine;
    });
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
    renew(head, after);
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

/** Others put messages in. Of two upper bounds the lower one: what was known and all that came since, or all that is not acknowledged. */
function renew(head: Head, mailbox: MailboxDocument): void {
  const { last, sum, messages, bytes } = headOf(mailbox);
  head.messages = Math.min(head.messages + last - head.last, messages);
  head.bytes = Math.min(head.bytes + sum - head.sum, bytes);
  head.last = last;
  head.sum = sum;
}

function headOf({ _id, device, last, sum, sumGone, acked }: MailboxDocument): Head {
  return { device: device as DeviceId, box: _id, last, sum, messages: last - acked, bytes: sum - sumGone };
}
