/**
 * Messages into mailboxes, a batch at a time (docs/adr/0034). Three round trips, whatever the number of messages and mailboxes:
 *
 * 1. numbers: one change a mailbox;
 * 2. the message ids, each with the numbers of its message: from here on, every attempt puts the message in the same places;
 * 3. the messages, each under its mailbox and number.
 *
 * A crash in between leaves numbers that readers close, or ids whose messages the next attempt puts in their places. What may be
 * full, unknown or a repeat is looked at more closely, by itself and in its turn.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { AppendResult, Mail, Mailboxes, MailboxLimits } from '../../port.ts';
import { isSameBytes } from '../../sameness.ts';
import { acceptedKey, accountTag, freshToken, mailId } from '../bytes.ts';
import type { AcceptedDocument, StoredMailDocument } from '../documents.ts';
import { duplicatesIn } from '../engine.ts';
import type { Ground } from '../ground.ts';
import { type Head, Heads } from './heads.ts';
import { closeNumber, isMessage } from './losses.ts';
import { type Arriving, makeRoom, surelyFits } from './room.ts';

/** How much longer than promised an id is remembered: clocks of nodes and of the database differ. */
const SLACK_MS = 3_600_000;

/** A message with its mailboxes, each once. */
interface Incoming {
  readonly mail: Mail;
  readonly key: Buffer;
  readonly parts: readonly Part[];
}

/** What one mailbox gets of a message. */
interface Part extends Arriving {
  readonly device: DeviceId;
  /** Once for each time that the device is named. */
  readonly bodies: readonly Buffer[];
}

type Place = AcceptedDocument['to'][number];

/** A message on its way: `bodies[i]` into `to[i]`. */
interface Placed {
  readonly incoming: Incoming;
  readonly to: readonly Place[];
  readonly bodies: readonly Buffer[];
}

export function mongoAppending(ground: Ground, heads: Heads): Pick<Mailboxes, 'append'> {
  const { engine, documents } = ground;
  /** One call after the other: messages get their numbers in the order in which they came. */
  let turn: Promise<unknown> = Promise.resolve();

  async function appendAll(batch: readonly Incoming[], limits: MailboxLimits): Promise<AppendResult[]> {
    const results = new Map<Incoming, AppendResult>();
    const known = await heads.of(batch.flatMap(({ parts }) => parts.map(({ device }) => device)));
    let run = new Run();
    const flush = async () => {
      if (run.messages.length > 0) await appendRun(run.messages, limits, known, results);
      run = new Run();
    };
    for (const incoming of batch) {
      if (run.has(incoming)) await flush();
      if (run.takes(incoming, known, limits)) continue;
      await flush();
      results.set(incoming, await appendWithCare(incoming, limits, known));
    }
    await flush();
    return batch.map((incoming) => results.get(incoming)!);
  }

  /** Messages for which there surely is room, in mailboxes that were there a moment ago. */
  async function appendRun(
    run: readonly Incoming[],
    limits: MailboxLimits,
    known: Map<DeviceId, Head>,
    results: Map<Incoming, AppendResult>,
  ): Promise<void> {
    const placed = await place(run, known);
    if (!placed) {
      // A device has gone meanwhile.
      for (const incoming of run) results.set(incoming, await appendWithCare(incoming, limits, known));
      return;
    }
    const repeats = await accept(placed, limits, []);
    const repeated = new Set(repeats.map(({ placed: one }) => one));
    const news = placed.filter((one) => !repeated.has(one));
    const written = await write(news);
    for (const [i, { incoming }] of news.entries()) results.set(incoming, acceptedAs(incoming, written[i]!, []));
    for (const { placed: one, known: before } of repeats) {
      for (const { box, seq } of one.to) await closeNumber(ground, box, seq, one.incoming.mail.at);
      results.set(one.incoming, await repeat(one.incoming, before));
    }
  }

  /** A message that may be a repeat, whose recipients may be unknown and their mailboxes full. */
  async function appendWithCare(
    incoming: Incoming,
    limits: MailboxLimits,
    known: Map<DeviceId, Head>,
  ): Promise<AppendResult> {
    const { mail, key, parts } = incoming;
    const before = await engine.read(() => documents.accepted.findOne({ _id: key }));
    if (before) return repeat(incoming, before);
    const devices = parts.map(({ device }) => device);
    const there = await heads.of(devices, true);
    for (const [device, head] of there) known.set(device, head);
    const unknown = mail.recipients.map(({ device }) => device).filter((device) => !there.has(device));
    if (unknown.length > 0) return { status: 'unknown', devices: unknown };
    const rooms = await Promise.all(parts.map((part) => makeRoom(ground, there.get(part.device)!, part, limits)));
    const refused = devices.filter((_, i) => !rooms[i]);
    if (refused.length > 0 && refused.length === parts.length) return { status: 'full', devices: refused };
    const admitted = { ...incoming, parts: parts.filter(({ device }) => !refused.includes(device)) };
    const placed = await place([admitted], known);
    if (!placed) return appendWithCare(incoming, limits, known);
    const [earlier] = await accept(placed, limits, refused);
    if (earlier) return repeat(incoming, earlier.known);
    const [to] = await write(placed);
    return acceptedAs(incoming, to!, refused);
  }

  /** Gives each message its numbers. Undefined: a device has gone. */
  async function place(run: readonly Incoming[], known: ReadonlyMap<DeviceId, Head>): Promise<Placed[] | undefined> {
    const totals = new Map<Head, { count: number; bytes: number }>();
    for (const { parts } of run)
      for (const { device, messages, bytes } of parts) {
        const head = known.get(device)!;
        const total = totals.get(head) ?? { count: 0, bytes: 0 };
        totals.set(head, { count: total.count + messages, bytes: total.bytes + bytes });
      }
    const reservations = [...totals].map(([head, total]) => ({ head, ...total }));
    const firsts = await heads.reserve(reservations);
    const next = new Map<Head, number>();
    for (const [i, { head }] of reservations.entries()) {
      const first = firsts[i];
      if (first === undefined) return undefined;
      next.set(head, first);
    }
    return run.map((incoming) => {
      const to: Place[] = [];
      for (const { device, messages } of incoming.parts) {
        const head = known.get(device)!;
        const first = next.get(head)!;
        next.set(head, first + messages);
        for (let n = 0; n < messages; n++) to.push({ box: head.box, device, seq: first + n });
      }
      return { incoming, to, bodies: incoming.parts.flatMap(({ bodies }) => bodies) };
    });
  }

  /** Writes down where each message goes; those whose id was taken before, with what was written then. */
  async function accept(
    placed: readonly Placed[],
    limits: MailboxLimits,
    refused: readonly DeviceId[],
  ): Promise<{ readonly placed: Placed; readonly known: AcceptedDocument }[]> {
    if (placed.length === 0) return [];
    const by = freshToken();
    const taken = placed.map(
      ({ incoming: { mail, key }, to }): AcceptedDocument => ({
        _id: key,
        digest: Buffer.from(mail.digest),
        to,
        refused,
        by,
        forget: new Date(mail.at + limits.memory.ms + SLACK_MS),
      }),
    );
    const duplicates = await insert(() => documents.accepted.insertMany(taken, { ordered: false }));
    if (duplicates.length === 0) return [];
    const ids = duplicates.map((i) => taken[i]!._id);
    const found = await engine.read(() => documents.accepted.find({ _id: { $in: ids } }).toArray());
    const before = new Map(found.map((one) => [one._id.toString('latin1'), one]));
    return duplicates.flatMap((i) => {
      const known = before.get(taken[i]!._id.toString('latin1'));
      // Not found: forgotten this moment. By itself: an attempt of this call whose answer was lost.
      return known && !known.by.equals(by) ? [{ placed: placed[i]!, known }] : [];
    });
  }

  /** Puts the messages in their places; where each is in the end. */
  async function write(placed: readonly Placed[]): Promise<(readonly Place[])[]> {
    const places = placed.map(({ to }) => [...to]);
    let todo = placed.flatMap(({ incoming, bodies }, i) => bodies.map((body, p) => ({ incoming, body, i, p })));
    while (todo.length > 0) {
      const mails = todo.map(({ incoming, body, i, p }) => mailOf(incoming, body, places[i]![p]!));
      // In their order: of two messages for a mailbox the later one is there only when the earlier one is.
      const [duplicate] = await insert(() => documents.mails.insertMany(mails, { ordered: true }));
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
        if (place.box.equals(box)) places[i]![p] = await moveOn(incoming, body, place);
      }
    }
    return places;
  }

  /** A new number for a message whose old one cannot be used any more; the one that another attempt gave it, if one did. */
  async function moveOn({ mail, key }: Incoming, body: Buffer, place: Place): Promise<Place> {
    await closeNumber(ground, place.box, place.seq, mail.at);
    const device = place.device as DeviceId;
    const head = (await heads.of([device])).get(device);
    const [seq] = head ? await heads.reserve([{ head, count: 1, bytes: body.length }]) : [];
    if (seq === undefined) return place;
    const { matchedCount } = await engine.write(() =>
      documents.accepted.updateOne(
        { _id: key, to: { $elemMatch: { box: place.box, seq: place.seq } } },
        { $set: { 'to.$.seq': seq } },
      ),
    );
    if (matchedCount === 1) return { ...place, seq };
    await closeNumber(ground, place.box, seq, mail.at);
    const known = await engine.read(() => documents.accepted.findOne({ _id: key }));
    return known?.to.find(({ box }) => box.equals(place.box)) ?? place;
  }

  /** The message's id was taken before. What an attempt left undone is done now. */
  async function repeat(incoming: Incoming, before: AcceptedDocument): Promise<AppendResult> {
    if (!isSameBytes(before.digest, incoming.mail.digest)) return { status: 'conflict' };
    const refused = before.refused as readonly DeviceId[];
    const missing = await missingPlaces(before);
    if (missing.length === 0) return { status: 'repeated', refused };
    const bodies = missing.map((nth) => bodyAt(incoming, before.to, nth));
    const [written] = await write([{ incoming, to: missing.map((nth) => before.to[nth]!), bodies }]);
    const to = [...before.to];
    for (const [i, nth] of missing.entries()) to[nth] = written![i]!;
    return acceptedAs(incoming, to, refused);
  }

  /** Indexes of where the message is not, was not, and may still come. */
  async function missingPlaces({ _id: key, to }: AcceptedDocument): Promise<number[]> {
    if (to.length === 0) return [];
    const ids = to.map(({ box, seq }) => mailId(box, seq));
    const [mails, mailboxes] = await Promise.all([
      engine.read(() => documents.mails.find({ _id: { $in: ids } }, { projection: { body: 0 } }).toArray()),
      engine.read(() => documents.mailboxes.find({ _id: { $in: to.map(({ box }) => box) } }).toArray()),
    ]);
    return [...to.keys()].filter((nth) => {
      const { box, seq } = to[nth]!;
      const mailbox = mailboxes.find(({ _id }) => _id.equals(box));
      if (!mailbox || mailbox.gone) return false;
      const mail = mails.find(({ _id }) => _id.equals(ids[nth]!));
      // Below what was acknowledged or settled it was there, unless a tombstone says otherwise.
      if (!mail) return seq > Math.max(mailbox.acked, mailbox.settled);
      return !(isMessage(mail) && mail.key.equals(key));
    });
  }

  async function insert(batch: () => Promise<unknown>): Promise<number[]> {
    try {
      await engine.write(batch);
      return [];
    } catch (error) {
      const duplicates = duplicatesIn(error);
      if (!duplicates) throw error;
      return duplicates;
    }
  }

  return {
    append(batch, limits) {
      const copies = batch.map(incomingOf);
      const rules = { ...limits };
      const result = turn.then(async () => {
        try {
          return await appendAll(copies, rules);
        } catch (error) {
          // What is remembered of these may be wrong now.
          for (const { parts } of copies) for (const { device } of parts) heads.forget(device);
          throw error;
        }
      });
      turn = result.catch(() => {});
      return result;
    },
  };
}

/** Messages that can be written together: other ids, mailboxes that are there, and surely room for all of them. */
class Run {
  readonly messages: Incoming[] = [];
  private readonly keys = new Set<string>();
  private readonly totals = new Map<DeviceId, { messages: number; bytes: number }>();

  has({ key }: Incoming): boolean {
    return this.keys.has(key.toString('latin1'));
  }

  /** Whether it is one of them; then it is taken. */
  takes(incoming: Incoming, known: ReadonlyMap<DeviceId, Head>, limits: MailboxLimits): boolean {
    const { parts, key } = incoming;
    for (const part of parts) {
      const head = known.get(part.device);
      if (!head || !surelyFits(head, { ...part, ...this.withEarlier(part) }, limits)) return false;
    }
    for (const part of parts) this.totals.set(part.device, this.withEarlier(part));
    this.messages.push(incoming);
    this.keys.add(key.toString('latin1'));
    return true;
  }

  private withEarlier({ device, messages, bytes }: Part): { messages: number; bytes: number } {
    const earlier = this.totals.get(device);
    return { messages: messages + (earlier?.messages ?? 0), bytes: bytes + (earlier?.bytes ?? 0) };
  }
}

function mailOf({ mail, key }: Incoming, body: Buffer, { box, seq }: Place): StoredMailDocument {
  return { _id: mailId(box, seq), key, from: accountTag(mail.sender), at: mail.at, size: body.length, body };
}

/** What goes into the `nth` of the places: a device that is named twice has two of them, in their order. */
function bodyAt({ parts }: Incoming, to: readonly Place[], nth: number): Buffer {
  const { device } = to[nth]!;
  const before = to.slice(0, nth).filter((place) => place.device === device).length;
  return parts.find((part) => part.device === device)!.bodies[before]!;
}

/** Copies what it is given. */
function incomingOf(mail: Mail): Incoming {
  const parts = new Map<DeviceId, { room: Arriving['room']; bodies: Buffer[] }>();
  const shared = Buffer.concat([...mail.shared]);
  for (const { device, own, room } of mail.recipients) {
    const part = parts.get(device) ?? { room, bodies: [] };
    part.bodies.push(Buffer.concat([shared, ...own]));
    parts.set(device, part);
  }
  return {
    mail: { ...mail, digest: mail.digest.slice(), recipients: [...mail.recipients] },
    key: acceptedKey(mail.sender, mail.id),
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

function acceptedAs({ mail }: Incoming, to: readonly Place[], refused: readonly DeviceId[]): AppendResult {
  const left = [...to];
  const seqs = mail.recipients.map(({ device }) => {
    const nth = left.findIndex((place) => place.device === device);
    return nth < 0 ? 0 : left.splice(nth, 1)[0]!.seq;
  });
  return { status: 'accepted', seqs, refused };
}
