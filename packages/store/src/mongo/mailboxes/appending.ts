/**
 * A batch of messages: which go straight to their places (`placing.ts`), and which are looked at more closely first, because a
 * mailbox may be full or unknown. Those are few, or a flood into a full mailbox: they too go together.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { AppendResult, Mailboxes, MailboxLimits } from '../../port.ts';
import type { MailboxDocument } from '../documents.ts';
import { together } from '../engine.ts';
import type { Ground } from '../ground.ts';
import { pause } from '../pause.ts';
import { FullMailboxes } from './contents.ts';
import { type Head, Heads } from './heads.ts';
import { type Admitted, type Incoming, incomingOf, type Part } from './incoming.ts';
import { lose } from './losses.ts';
import { Placing, type Repeat } from './placing.ts';
import { Filling, surelyFits } from './room.ts';

const FAR_BYTES = 1 << 20;

export function mongoAppending(ground: Ground, heads: Heads): Pick<Mailboxes, 'append'> {
  const { engine, documents } = ground;
  const placing = new Placing(ground, heads);
  const full = new FullMailboxes(ground);
  /** One call after the other: messages get their numbers in the order in which they came. */
  let turn: Promise<unknown> = Promise.resolve();

  async function appendAll(batch: readonly Incoming[], limits: MailboxLimits): Promise<AppendResult[]> {
    const results = new Map<Incoming, AppendResult>();
    for (const run of runsOf(batch)) await appendRun(run, limits, results);
    return batch.map((incoming) => results.get(incoming)!);
  }

  /** Messages of different ids. */
  async function appendRun(
    run: readonly Incoming[],
    limits: MailboxLimits,
    results: Map<Incoming, AppendResult>,
  ): Promise<void> {
    const known = await heads.of(run.flatMap(({ parts }) => parts.map(({ device }) => device)));
    const { sure, unsure } = divided(run, known, limits);
    let left: readonly Incoming[] = unsure;
    const admitted = sure.map((incoming) => ({ incoming, parts: incoming.parts, refused: [] }));
    if (!(await placing.append(admitted, limits, known, results))) left = run;
    for (let round = 0; left.length > 0; round++) {
      const before = left.length;
      left = await appendWithCare(left, limits, results);
      if (left.length === before) await pause(round);
    }
  }

  /**
   * Messages that may be repeats, whose recipients may be unknown and their mailboxes full. Those that are left to do: what they look at
   * has changed meanwhile, or what the others bring must be there first.
   */
  async function appendWithCare(
    run: readonly Incoming[],
    limits: MailboxLimits,
    results: Map<Incoming, AppendResult>,
  ): Promise<readonly Incoming[]> {
    const [before, there] = await Promise.all([
      placing.acceptedBefore(run.map(({ key }) => key)),
      heads.look(run.flatMap(({ parts }) => parts.map(({ device }) => device))),
    ]);
    const known = new Map([...there].map(([device, { head }]) => [device, head]));
    const fillings = await fillingsOf(run, there, limits);
    const repeats: Repeat[] = [];
    const decided = new Map<Incoming, AppendResult>();
    const admitted: Admitted[] = [];
    let left: readonly Incoming[] = [];
    for (const [i, incoming] of run.entries()) {
      const earlier = before.get(incoming.key.toString('latin1'));
      if (earlier) {
        repeats.push({ incoming, known: earlier });
        continue;
      }
      const unknown = incoming.mail.recipients.map(({ device }) => device).filter((device) => !there.has(device));
      if (unknown.length > 0) {
        decided.set(incoming, { status: 'unknown', devices: unknown });
        continue;
      }
      const rooms = incoming.parts.map((part) => fillings.get(part.device)?.makeRoom(part, limits) ?? 'room');
      if (rooms.includes('later')) {
        left = run.slice(i);
        break;
      }
      const refused = incoming.parts.flatMap(({ device }, nth) => (rooms[nth] === 'none' ? [device] : []));
      if (refused.length > 0 && refused.length === incoming.parts.length) {
        decided.set(incoming, { status: 'full', devices: refused });
        continue;
      }
      const parts = incoming.parts.filter((_, nth) => rooms[nth] === 'room');
      for (const part of parts) fillings.get(part.device)?.take(part, incoming.from.toString('latin1'));
      admitted.push({ incoming, parts, refused });
    }
    const isDone = await together([...fillings].map(([device, filling]) => settleLosses(known.get(device)!, filling)));
    if (isDone.includes(false) || !(await placing.append(admitted, limits, known, results))) return run;
    await placing.repeat(repeats, results);
    for (const [incoming, result] of decided) results.set(incoming, result);
    return left;
  }

  /** The mailboxes that may have no room for all of these. */
  async function fillingsOf(
    run: readonly Incoming[],
    there: ReadonlyMap<DeviceId, { readonly head: Head; readonly mailbox: MailboxDocument }>,
    limits: MailboxLimits,
  ): Promise<Map<DeviceId, Filling>> {
    const totals = new Totals();
    const tight = new Map<DeviceId, MailboxDocument>();
    for (const { parts } of run)
      for (const part of parts) {
        const one = there.get(part.device);
        if (one && !surelyFits(one.head, totals.with(part), limits)) tight.set(part.device, one.mailbox);
        totals.add(part);
      }
    const contents = await Promise.all([...tight.values()].map((mailbox) => full.of(mailbox)));
    return new Map([...tight.keys()].map((device, i) => [device, new Filling(contents[i]!)]));
  }

  /** False: the mailbox is another one meanwhile. `head` then knows what is in the mailbox. */
  async function settleLosses(head: Head, { contents, losses, messages, bytes }: Filling): Promise<boolean> {
    const after = await lose(ground, contents, losses);
    if (!after) {
      full.forget(head.device);
      return false;
    }
    full.remember(after);
    head.messages = messages;
    head.bytes = bytes;
    const { _id, sum, sumGone } = after.mailbox;
    // Written down when what the document says is far from it: other nodes go by that.
    if (sum - sumGone > 2 * bytes + FAR_BYTES)
      await engine.write(() => documents.mailboxes.updateOne({ _id }, { $max: { sumGone: sum - bytes } }));
    return true;
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

/** What several messages bring to each mailbox. */
class Totals {
  private readonly totals = new Map<DeviceId, { messages: number; bytes: number }>();

  add({ device, messages, bytes }: Part): void {
    const total = this.totals.get(device);
    if (total) {
      total.messages += messages;
      total.bytes += bytes;
    } else this.totals.set(device, { messages, bytes });
  }

  /** The same and `part`. */
  with({ device, messages, bytes, room }: Part): Pick<Part, 'messages' | 'bytes' | 'room'> {
    const total = this.totals.get(device);
    return total
      ? { messages: messages + total.messages, bytes: bytes + total.bytes, room }
      : { messages, bytes, room };
  }
}

/** Split where an id comes again: it is looked at when the first one is done. */
function runsOf(batch: readonly Incoming[]): Incoming[][] {
  const runs: Incoming[][] = [];
  let run: Incoming[] = [];
  let keys = new Set<string>();
  for (const incoming of batch) {
    const key = incoming.key.toString('latin1');
    if (keys.has(key)) {
      runs.push(run);
      run = [];
      keys = new Set();
    }
    run.push(incoming);
    keys.add(key);
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

/**
 * `sure`: all mailboxes were there a moment ago and surely have room. What comes after an unsure message for one of its mailboxes waits
 * for it, so that a mailbox keeps the order.
 */
function divided(
  run: readonly Incoming[],
  known: ReadonlyMap<DeviceId, Head>,
  limits: MailboxLimits,
): { sure: Incoming[]; unsure: Incoming[] } {
  const sure: Incoming[] = [];
  const unsure: Incoming[] = [];
  const held = new Set<DeviceId>();
  const totals = new Totals();
  for (const incoming of run) {
    const isSure = incoming.parts.every((part) => {
      const head = known.get(part.device);
      return head && !held.has(part.device) && surelyFits(head, totals.with(part), limits);
    });
    if (isSure) for (const part of incoming.parts) totals.add(part);
    else for (const { device } of incoming.parts) held.add(device);
    (isSure ? sure : unsure).push(incoming);
  }
  return { sure, unsure };
}
