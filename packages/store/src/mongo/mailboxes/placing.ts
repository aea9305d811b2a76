/**
 * Messages into their places, a batch at a time (docs/adr/0034). Three round trips, whatever the number of messages and mailboxes:
 *
 * 1. numbers: one change a mailbox;
 * 2. the message ids, each with the numbers of its message: from here on, every attempt puts the message in the same places;
 * 3. the messages, each under its mailbox and number.
 *
 * A crash in between leaves numbers that readers close, or ids whose messages the next attempt puts in their places.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { AppendResult, MailboxLimits } from '../../port.ts';
import { isSameBytes } from '../../sameness.ts';
import { freshToken, mailId } from '../bytes.ts';
import type { AcceptedDocument } from '../documents.ts';
import { duplicatesIn } from '../engine.ts';
import type { Ground } from '../ground.ts';
import type { Head, Heads } from './heads.ts';
import { type Admitted, acceptedAs, bodyAt, type Incoming, mailOf, type Place, type Placed } from './incoming.ts';
import { closeNumbers, isMessage } from './losses.ts';

/** How much longer than promised an id is remembered: clocks of nodes and of the database differ. */
const SLACK_MS = 3_600_000;

/** A message whose id was taken before, and what was written then. */
export interface Repeat {
  readonly incoming: Incoming;
  readonly known: AcceptedDocument;
}

export class Placing {
  constructor(
    private readonly ground: Ground,
    private readonly heads: Heads,
  ) {}

  /**
   * Appends messages of different ids, in mailboxes that were there a moment ago. False: a device has gone meanwhile, and nothing was
   * appended.
   */
  async append(
    batch: readonly Admitted[],
    limits: MailboxLimits,
    known: ReadonlyMap<DeviceId, Head>,
    results: Map<Incoming, AppendResult>,
  ): Promise<boolean> {
    if (batch.length === 0) return true;
    const placed = await this.number(batch, known);
    if (!placed) return false;
    const repeats = await this.accept(placed, limits);
    const news = repeats.size === 0 ? placed : placed.filter((one) => !repeats.has(one));
    const written = await this.write(news);
    for (const [i, { incoming, refused }] of news.entries())
      results.set(incoming, acceptedAs(incoming, written[i]!, refused));
    if (repeats.size === 0) return true;
    await closeNumbers(
      this.ground,
      [...repeats.keys()].flatMap(({ incoming, to }) => to.map(({ box, seq }) => ({ box, seq, at: incoming.mail.at }))),
    );
    await this.repeat(
      [...repeats].map(([{ incoming }, before]) => ({ incoming, known: before })),
      results,
    );
    return true;
  }

  /** Messages whose ids were taken before. What an attempt left undone is done now. */
  async repeat(repeats: readonly Repeat[], results: Map<Incoming, AppendResult>): Promise<void> {
    const same = repeats.filter(({ incoming, known }) => isSameBytes(known.digest, incoming.mail.digest));
    const refusedOf = ({ known }: Pick<Repeat, 'known'>) => known.refused as readonly DeviceId[];
    for (const { incoming } of repeats) results.set(incoming, { status: 'conflict' });
    for (const one of same) results.set(one.incoming, { status: 'repeated', refused: refusedOf(one) });
    const missing = await this.missingPlaces(same.map(({ known }) => known));
    const undone = same.flatMap((one, i) => (missing[i]!.length > 0 ? [{ ...one, nths: missing[i]! }] : []));
    const written = await this.write(
      undone.map(({ incoming, known: { to }, nths }) => ({
        incoming,
        to: nths.map((nth) => to[nth]!),
        bodies: nths.map((nth) => bodyAt(incoming, to, nth)),
      })),
    );
    for (const [i, { incoming, known, nths }] of undone.entries()) {
      const to = [...known.to];
      for (const [n, nth] of nths.entries()) to[nth] = written[i]![n]!;
      results.set(incoming, acceptedAs(incoming, to, refusedOf({ known })));
    }
  }

  /** Gives each message its numbers. Undefined: a device has gone. */
  private async number(
    batch: readonly Admitted[],
    known: ReadonlyMap<DeviceId, Head>,
  ): Promise<readonly Placed[] | undefined> {
    const totals = new Map<Head, { head: Head; count: number; bytes: number; next: number }>();
    for (const { parts } of batch)
      for (const { device, messages, bytes } of parts) {
        const head = known.get(device)!;
        const total = totals.get(head);
        if (total) {
          total.count += messages;
          total.bytes += bytes;
        } else totals.set(head, { head, count: messages, bytes, next: 0 });
      }
    const reservations = [...totals.values()];
    const firsts = await this.heads.reserve(reservations);
    for (const [i, reservation] of reservations.entries()) {
      const first = firsts[i];
      if (first === undefined) return undefined;
      reservation.next = first;
    }
    return batch.map(({ incoming, parts, refused }) => {
      const to: Place[] = [];
      for (const { device, messages } of parts) {
        const total = totals.get(known.get(device)!)!;
        for (let n = 0; n < messages; n++) to.push({ box: total.head.box, device, seq: total.next++ });
      }
      return { incoming, to, bodies: parts.flatMap(({ bodies }) => bodies), refused };
    });
  }

  /** Writes down where each message goes; those whose id was taken before, with what was written then. */
  private async accept(
    placed: readonly Placed[],
    limits: MailboxLimits,
  ): Promise<ReadonlyMap<Placed, AcceptedDocument>> {
    const { documents } = this.ground;
    const by = freshToken();
    const taken = placed.map(
      ({ incoming: { mail, key }, to, refused }): AcceptedDocument => ({
        _id: key,
        digest: Buffer.from(mail.digest),
        to,
        refused,
        by,
        forget: new Date(mail.at + limits.memory.ms + SLACK_MS),
      }),
    );
    const duplicates = await this.insert(() => documents.accepted.insertMany(taken, { ordered: false }));
    if (duplicates.length === 0) return new Map();
    const before = await this.acceptedBefore(duplicates.map((i) => taken[i]!._id));
    return new Map(
      duplicates.flatMap((i) => {
        const known = before.get(taken[i]!._id.toString('latin1'));
        // Not found: forgotten this moment. By itself: an attempt of this call whose answer was lost.
        return known && !known.by.equals(by) ? [[placed[i]!, known] as const] : [];
      }),
    );
  }

  /** Of these ids those that were taken, by the bytes of the id as a Latin-1 text. */
  async acceptedBefore(ids: readonly Buffer[]): Promise<Map<string, AcceptedDocument>> {
    const { engine, documents } = this.ground;
    const found = await engine.read(() =>
      documents.accepted
        .find({ _id: { $in: [...ids] } })
        .batchSize(ids.length + 1)
        .toArray(),
    );
    return new Map(found.map((one) => [one._id.toString('latin1'), one]));
  }

  /** Puts the messages in their places; where each is in the end. */
  private async write(placed: readonly Omit<Placed, 'refused'>[]): Promise<(readonly Place[])[]> {
    const { engine, documents } = this.ground;
    const places = placed.map(({ to }) => [...to]);
    let todo = placed.flatMap(({ incoming, bodies }, i) => bodies.map((body, p) => ({ incoming, body, i, p })));
    while (todo.length > 0) {
      const mails = todo.map(({ incoming, body, i, p }) => mailOf(incoming, body, places[i]![p]!));
      // In their order: of two messages for a mailbox the later one is there only when the earlier one is.
      const [duplicate] = await this.insert(() => documents.mails.insertMany(mails, { ordered: true }));
      if (duplicate === undefined) break;
      const { _id, key } = mails[duplicate]!;
      const there = await engine.read(() => documents.mails.findOne({ _id }, { projection: { body: 0 } }));
      if (there && isMessage(there) && there.key.equals(key)) {
        // Put there by another attempt. What follows is still to do.
        todo = todo.slice(duplicate + 1);
        continue;
      }
      // A reader closed the number: this message, and those after it in the mailbox, get new ones.
      todo = todo.slice(duplicate);
      const { box } = places[todo[0]!.i]![todo[0]!.p]!;
      for (const { incoming, body, i, p } of todo) {
        const place = places[i]![p]!;
        if (place.box.equals(box)) places[i]![p] = await this.moveOn(incoming, body, place);
      }
    }
    return places;
  }

  /** A new number for a message whose old one cannot be used any more; the one that another attempt gave it, if one did. */
  private async moveOn({ mail, key }: Incoming, body: Buffer, place: Place): Promise<Place> {
    const { engine, documents } = this.ground;
    const { box, seq: old } = place;
    await closeNumbers(this.ground, [{ box, seq: old, at: mail.at }]);
    const device = place.device as DeviceId;
    const head = (await this.heads.of([device])).get(device);
    const [seq] = head ? await this.heads.reserve([{ head, count: 1, bytes: body.length }]) : [];
    if (seq === undefined) return place;
    const { matchedCount } = await engine.write(() =>
      documents.accepted.updateOne({ _id: key, to: { $elemMatch: { box, seq: old } } }, { $set: { 'to.$.seq': seq } }),
    );
    if (matchedCount === 1) return { ...place, seq };
    await closeNumbers(this.ground, [{ box, seq, at: mail.at }]);
    const known = await engine.read(() => documents.accepted.findOne({ _id: key }));
    return known?.to.find((one) => one.box.equals(box)) ?? place;
  }

  /** Of each, the indexes of where the message is not, was not, and may still come. */
  private async missingPlaces(accepted: readonly AcceptedDocument[]): Promise<number[][]> {
    const { engine, documents } = this.ground;
    const all = accepted.flatMap(({ to }) => to);
    if (all.length === 0) return accepted.map(() => []);
    const ids = all.map(({ box, seq }) => mailId(box, seq));
    const boxes = [...new Map(all.map(({ box }) => [box.toString('latin1'), box])).values()];
    const [mails, mailboxes] = await Promise.all([
      engine.read(() =>
        documents.mails
          .find({ _id: { $in: ids } }, { projection: { body: 0 } })
          .batchSize(ids.length + 1)
          .toArray(),
      ),
      engine.read(() =>
        documents.mailboxes
          .find({ _id: { $in: boxes } })
          .batchSize(boxes.length + 1)
          .toArray(),
      ),
    ]);
    const mailAt = new Map(mails.map((mail) => [mail._id.toString('latin1'), mail]));
    const mailboxAt = new Map(mailboxes.map((mailbox) => [mailbox._id.toString('latin1'), mailbox]));
    return accepted.map(({ _id: key, to }) =>
      [...to.keys()].filter((nth) => {
        const { box, seq } = to[nth]!;
        const mailbox = mailboxAt.get(box.toString('latin1'));
        if (!mailbox || mailbox.gone) return false;
        const mail = mailAt.get(mailId(box, seq).toString('latin1'));
        // Below what was acknowledged or settled it was there, unless a tombstone says otherwise.
        if (!mail) return seq > Math.max(mailbox.acked, mailbox.settled);
        return !(isMessage(mail) && mail.key.equals(key));
      }),
    );
  }

  private async insert(batch: () => Promise<unknown>): Promise<number[]> {
    try {
      await this.ground.engine.write(batch);
      return [];
    } catch (error) {
      const duplicates = duplicatesIn(error);
      if (!duplicates) throw error;
      return duplicates;
    }
  }
}
