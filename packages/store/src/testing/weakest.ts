/**
 * A store whose mailboxes and claims do exactly the least that the port allows, for the tests of the contract and of those who use a
 * store. Each aggregate changes in a step of its own, between two steps others have their turn, and a step may fail. Numbers are
 * reserved first and used in the next step; every second number is never used. A number that is reserved and not yet used holds back
 * what comes after it, until it is given up for lost.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { type Fate, type StepPlan, type Steps, withFaults } from '../faults.ts';
import { admit, expireMails, forgetUpTo, type Incoming, pageOf } from '../memory/mailbox.ts';
import { emptyMailbox, type MailboxRow, textOf } from '../memory/state.ts';
import { openMemoryStore } from '../memory.ts';
import { type AppendResult, type Mail, type Mailboxes, type MailboxLimits, type Store, StoreError } from '../port.ts';
import { isSameBytes } from '../sameness.ts';

/** So often a mailbox is read before a number that is reserved there counts as lost. */
const PATIENCE = 3;

interface WeakMailbox extends MailboxRow {
  /** By sender and message id, the numbers under which a message is, or was, here. */
  readonly numbers: Map<string, readonly number[]>;
  /** Reserved, and not used yet; with the reads that were held back by it. */
  readonly reserved: Map<number, number>;
}

export function openWeakestStore(): { readonly store: Store; readonly steps: Steps } {
  const memory = openMemoryStore();
  const mailboxes = new Map<DeviceId, WeakMailbox>();
  const underWay = new Set<Promise<unknown>>();
  const accepted = new Map<string, { readonly digest: Uint8Array; readonly refused: readonly DeviceId[] }>();
  let plan: StepPlan = () => 'done';
  let nth = 0;

  function fateOfNext(): Fate | Promise<Fate> {
    return plan(++nth);
  }

  /** One durable change of one aggregate, after others have had their turn. */
  async function step<Result>(change: () => Result | Promise<Result>): Promise<Result> {
    const fate = await fateOfNext();
    await new Promise((resolve) => setImmediate(resolve));
    if (fate === 'failed') throw new StoreError('unavailable', 'a step was made to fail');
    const result = await change();
    if (fate === 'failed-but-persisted') throw new StoreError('unavailable', 'a step was made to lose its answer');
    return result;
  }

  /** `close` waits for it. */
  function during<Result>(work: Promise<Result>): Promise<Result> {
    const ended = work.then(
      () => {},
      () => {},
    );
    underWay.add(ended);
    void ended.then(() => underWay.delete(ended));
    return work;
  }

  /** Undefined when there is no such device. */
  async function mailboxOf(device: DeviceId): Promise<WeakMailbox | undefined> {
    if (!(await memory.devices.find(device))) {
      mailboxes.delete(device);
      return undefined;
    }
    const mailbox = mailboxes.get(device) ?? { ...emptyMailbox(), numbers: new Map(), reserved: new Map() };
    mailboxes.set(device, mailbox);
    return mailbox;
  }

  async function appendAll(batch: readonly Mail[], limits: MailboxLimits): Promise<AppendResult[]> {
    await memory.probe();
    const results: AppendResult[] = [];
    for (const mail of batch) results.push(await appendOne(mail, limits));
    return results;
  }

  async function appendOne(mail: Mail, limits: MailboxLimits): Promise<AppendResult> {
    const key = `${textOf(mail.id)}${mail.sender}`;
    const before = accepted.get(key);
    if (before && !isSameBytes(before.digest, mail.digest)) return { status: 'conflict' };
    if (before) return { status: 'repeated', refused: before.refused };

    const incoming = new Map<DeviceId, Incoming>();
    const unknown: DeviceId[] = [];
    for (const { device, own, room } of mail.recipients) {
      if (!(await mailboxOf(device))) unknown.push(device);
      const one = incoming.get(device) ?? { sender: mail.sender, at: mail.at, bodies: [], room };
      const body = new Uint8Array(Buffer.concat([...mail.shared, ...own]));
      incoming.set(device, { ...one, bodies: [...one.bodies, body] });
    }
    if (unknown.length > 0) return { status: 'unknown', devices: unknown };

    const seqs = new Map<DeviceId, number[]>();
    for (const [device, one] of incoming) {
      const numbers = await appendTo(device, key, one, limits);
      if (numbers) seqs.set(device, [...numbers]);
    }
    const refused = [...incoming.keys()].filter((device) => !seqs.has(device));
    if (refused.length > 0 && seqs.size === 0) return { status: 'full', devices: refused };
    const { digest } = mail;
    const first = await step(() => {
      const known = accepted.get(key);
      if (!known) accepted.set(key, { digest, refused });
      return known;
    });
    if (first) return { status: 'repeated', refused: first.refused };
    return { status: 'accepted', seqs: mail.recipients.map(({ device }) => seqs.get(device)?.shift() ?? 0), refused };
  }

  /** Undefined: there is no room. A device that has gone meanwhile needs nothing. */
  async function appendTo(
    device: DeviceId,
    key: string,
    incoming: Incoming,
    limits: MailboxLimits,
  ): Promise<readonly number[] | undefined> {
    for (;;) {
      const first = await step(() => {
        const mailbox = mailboxes.get(device);
        if (!mailbox || mailbox.numbers.has(key)) return undefined;
        const number = mailbox.lastSeq + 2;
        mailbox.lastSeq = number + incoming.bodies.length - 1;
        mailbox.reserved.set(number, 0);
        return number;
      });
      if (first === undefined) return mailboxes.get(device)?.numbers.get(key) ?? incoming.bodies.map(() => 0);
      const outcome = await step(() => use(mailboxes.get(device), key, first, incoming, limits));
      if (outcome !== 'lost') return outcome;
    }
  }

  const inSteps = withFaults(memory, fateOfNext);
  return {
    store: {
      ...inSteps,
      prekeys: {
        ...inSteps.prekeys,
        async claim(suite, devices, now) {
          const bundles: Awaited<ReturnType<Store['prekeys']['claim']>> = [];
          for (const device of devices) {
            const [bundle] = await await step(() => memory.prekeys.claim(suite, [device], now));
            bundles.push(bundle);
          }
          return bundles;
        },
      },
      mailboxes: weakMailboxes(),
      async close() {
        await Promise.all(underWay);
        await memory.close();
      },
    },
    steps: {
      plan(next) {
        plan = next;
        nth = 0;
      },
    },
  };

  function weakMailboxes(): Mailboxes {
    return {
      append(batch, limits) {
        return during(appendAll(batch.map(copyOf), { ...limits }));
      },

      async read(device, bounds) {
        const mailbox = await mailboxOf(device);
        if (!mailbox) return { mails: [], end: true, settledSeq: 0 };
        const heldFrom = giveUp(mailbox);
        const mails = new Map([...mailbox.mails].filter(([seq]) => seq < heldFrom));
        const page = pageOf({ mails, gap: mailbox.gap }, bounds);
        const isHeldBack = mails.size < mailbox.mails.size;
        return { ...page, end: page.end && !isHeldBack, settledSeq: Math.min(mailbox.lastSeq, heldFrom - 1) };
      },

      async acknowledge(batch) {
        const results: ('done' | 'superseded')[] = [];
        for (const { device, session, upTo } of batch) {
          const mailbox = await mailboxOf(device);
          if (!mailbox || session < mailbox.session) {
            results.push('superseded');
            continue;
          }
          await step(() => forgetUpTo(mailbox, upTo));
          results.push('done');
        }
        return results;
      },

      async claimSession(device, session) {
        const mailbox = await mailboxOf(device);
        if (!mailbox || session < mailbox.session) return mailbox?.session;
        return step(() => {
          mailbox.session = Math.max(mailbox.session, session);
          return mailbox.session;
        });
      },

      async usage(device) {
        const mailbox = await mailboxOf(device);
        return { messages: mailbox?.mails.size ?? 0, bytes: mailbox?.bytes ?? 0 };
      },

      async expire(horizon, limit) {
        await memory.probe();
        let expired = 0;
        let left = limit;
        for (const mailbox of mailboxes.values()) {
          if (left === 0) break;
          if (![...mailbox.mails.values()].some(({ at }) => at < horizon)) continue;
          left--;
          expired += await step(() => expireMails(mailbox, horizon));
        }
        return expired;
      },
    };
  }
}

/** Puts the message under the numbers reserved from `first` on. `lost`: these were given up meanwhile. */
function use(
  mailbox: WeakMailbox | undefined,
  key: string,
  first: number,
  incoming: Incoming,
  limits: MailboxLimits,
): readonly number[] | undefined | 'lost' {
  if (!mailbox) return incoming.bodies.map(() => 0);
  if (!mailbox.reserved.delete(first)) return 'lost';
  // The same message again, beside this one.
  const known = mailbox.numbers.get(key);
  if (known) return known;
  const { lastSeq } = mailbox;
  mailbox.lastSeq = first - 1;
  const numbers = admit(mailbox, incoming, limits);
  mailbox.lastSeq = lastSeq;
  if (!numbers) return undefined;
  mailbox.numbers.set(key, numbers);
  const ascending = [...mailbox.mails].sort(([a], [b]) => a - b);
  mailbox.mails.clear();
  for (const [seq, mail] of ascending) mailbox.mails.set(seq, mail);
  return numbers;
}

/** One more read that what is reserved holds back; from which number on it still does. */
function giveUp({ reserved }: WeakMailbox): number {
  let from = Number.MAX_SAFE_INTEGER;
  for (const [number, reads] of reserved) {
    if (reads >= PATIENCE) reserved.delete(number);
    else {
      reserved.set(number, reads + 1);
      from = Math.min(from, number);
    }
  }
  return from;
}

function copyOf(mail: Mail): Mail {
  return {
    ...mail,
    id: mail.id.slice() as Mail['id'],
    digest: mail.digest.slice(),
    shared: mail.shared.map((piece) => piece.slice()),
    recipients: mail.recipients.map((recipient) => ({
      ...recipient,
      own: recipient.own.map((piece) => piece.slice()),
    })),
  };
}
