/**
 * A Send frame on its way into the mailboxes (house section 5, hop 2; delivery: "accepted means durable", "idempotent send").
 * One frame is one mail; a full mailbox keeps it from nobody but its own device. The sender hears `accepted` after the durable write and never before it;
 * an outcome that is not known is `unavailable` and may be repeated with the same id.
 */
import { type DiskWatch, RETRY_MESSAGES_MS } from '@sealwire/service/disk-watch';
import type { Metrics } from '@sealwire/service/metrics';
import type { AppendResult } from '@sealwire/store/port';
import { encodeAccepted, encodeMailOwn, encodeMailShared, encodeServerFrame } from '@sealwire/wire/frame-codec';
import type { Ephemeral, Send } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { AccountQuota } from '../mailboxes/account-quota.ts';
import type { Submission } from '../mailboxes/committer.ts';
import type { MailClock } from '../mailboxes/mail-clock.ts';
import type { Hub } from '../nodes/hub.ts';
import type { Session } from '../sockets/session.ts';
import type { Turn } from '../time/turn.ts';
import type { AccountDevices, KnownAccount } from './account-devices.ts';
import { type ContactGate, OPEN, type Passage } from './contact-gate.ts';
import { contentDigest } from './content-digest.ts';
import { compareDevices, type Mismatch, namesOwn } from './device-mismatch.ts';
import { reject, tellLeftOut } from './refusals.ts';
import type { SendLimits } from './send-limits.ts';
import { devicesIn, faultOf, faultWith, isAllToOthers, storedBytes } from './sent-frame.ts';

export interface RouterParts {
  readonly accountDevices: AccountDevices;
  readonly gate: ContactGate;
  readonly limits: SendLimits;
  readonly quota: AccountQuota;
  readonly hub: Hub;
  readonly turn: Turn;
  readonly metrics: Pick<Metrics, 'relayCopies' | 'relayDeliveryLatency' | 'relayMessages'>;
  readonly now: () => number;
  readonly mailClock: Pick<MailClock, 'stamp'>;
  readonly payloadBytes: number;
  readonly disks?: Pick<DiskWatch, 'refusesMessage'> | undefined;
  /** Of the committer: false when too much waits already. */
  readonly submit: (submission: Submission) => boolean;
}

/** How long a client should wait after `unavailable`; it adds its own jitter. */
const RETRY_UNAVAILABLE_MS = 1_000;
const RETRY_FULL_MS = 60_000;
const NOBODY: readonly DeviceId[] = [];

type KnownOf = (account: AccountAddress) => KnownAccount | undefined;

export class Router {
  constructor(private readonly parts: RouterParts) {}

  /**
   * `raw`: the frame as it came. Its digest tells a repeat from a conflict: a client that repeats a message repeats the bytes it saved.
   * Answers a promise only when the store, or who counts requests, had to be asked first; later frames of this session must wait for it, to keep their order.
   */
  send(session: Session, frame: Send, raw: Uint8Array): Promise<void> | undefined {
    if (frame.parts.length === 0) {
      // To an account with no other device (case A25): there is nothing to keep.
      session.writer.frame(encodeAccepted([frame.id]));
      return undefined;
    }
    const fault = faultOf(frame, this.parts.payloadBytes);
    if (fault || this.parts.disks?.refusesMessage()) {
      reject(session, frame.id, fault ?? 'unavailable', fault ? {} : { retryAfterMs: RETRY_MESSAGES_MS });
      return undefined;
    }
    const [only] = frame.parts;
    const { accountDevices } = this.parts;
    const isAlone = !namesOwn(frame) || accountDevices.isSingle(session.device);
    if (frame.parts.length === 1 && isAlone && accountDevices.isSingle(only!.device)) {
      this.submit(session, frame, raw, OPEN);
      return undefined;
    }
    const remembered = (account: AccountAddress) => accountDevices.remembered(account);
    // A difference from what is remembered may be news that the sender has and this node has not: the store decides.
    if (
      faultWith(
        frame,
        compareDevices(frame, session.device, (account) => remembered(account)?.devices),
      )
    )
      return this.compareWithStore(session, frame, raw);
    return this.admit(session, frame, raw, remembered);
  }

  /** As `send`, for what is neither stored nor answered. */
  ephemeral(session: Session, frame: Ephemeral): Promise<void> | undefined {
    const { accountDevices, limits, payloadBytes } = this.parts;
    if (faultOf(frame, payloadBytes) || limits.waitForEphemeral(session.device, frame) > 0) return undefined;
    const accounts = [...new Set(frame.parts.map(({ device }) => accountOf(device)))];
    const remembered = (account: AccountAddress) => accountDevices.remembered(account);
    if (accounts.every(remembered)) {
      this.handOver(session, frame, remembered);
      return undefined;
    }
    return accountDevices.load(accounts).then(
      (loaded) => this.handOver(session, frame, (account) => loaded.get(account)),
      // Nobody knows whether it is wanted.
      () => {},
    );
  }

  private handOver(session: Session, frame: Ephemeral, knownOf: KnownOf): void {
    const { gate, hub, now } = this.parts;
    const sentAt = now();
    for (const { device, content } of frame.parts)
      if (gate.letsNearby(session.device, accountOf(device), (account) => knownOf(account)?.rules))
        hub.ephemeral(
          device,
          encodeServerFrame({ kind: 'ephemeral-deliver', sender: session.device, sentAt, content, body: frame.body }),
        );
  }

  appended(batch: readonly Submission[], results: readonly AppendResult[]): void {
    const { hub, turn, metrics, now } = this.parts;
    const toTell: Session[] = [];
    for (let i = 0; i < batch.length; i++) {
      const submission = batch[i]!;
      if (!this.settle(submission, results[i]!)) continue;
      const { session, id } = submission;
      if (session.accepted) {
        session.accepted.push(id);
      } else {
        session.accepted = [id];
        toTell.push(session);
      }
    }
    for (const session of toTell) {
      session.writer.frame(encodeAccepted(session.accepted ?? []));
      session.accepted = undefined;
    }
    hub.flush();
    turn.flush();
    this.count(batch, results);
    // One sample a batch, its oldest message: an observation a message would cost more than its delivery's bookkeeping.
    metrics.relayDeliveryLatency.observe(Math.max(0, now() - (batch[0]?.at ?? 0)) / 1_000);
  }

  unknown(batch: readonly Submission[]): void {
    this.parts.metrics.relayMessages.inc({ result: 'unavailable' }, batch.length);
    for (const { session, id } of batch) reject(session, id, 'unavailable', { retryAfterMs: RETRY_UNAVAILABLE_MS });
  }

  /** Once a batch, whatever it holds: a labelled counter costs more than a message. */
  private count(batch: readonly Submission[], results: readonly AppendResult[]): void {
    const { relayMessages, relayCopies } = this.parts.metrics;
    const counts = { accepted: 0, repeated: 0, conflict: 0, full: 0, unknown: 0 };
    let copies = 0;
    for (let i = 0; i < batch.length; i++) {
      const result = results[i]!;
      counts[result.status]++;
      if (result.status === 'accepted') copies += batch[i]!.recipients.length - result.refused.length;
    }
    const { unknown, ...others } = counts;
    for (const [result, count] of Object.entries({ ...others, 'unknown-device': unknown }))
      if (count > 0) relayMessages.inc({ result }, count);
    relayCopies.inc(copies);
  }

  private async compareWithStore(session: Session, frame: Send, raw: Uint8Array): Promise<void> {
    const { accountDevices } = this.parts;
    let knownOf: KnownOf;
    try {
      const named = namesOwn(frame) ? [session.device] : [];
      const accounts = new Set([...named, ...frame.parts.map(({ device }) => device)].map(accountOf));
      const loaded = await accountDevices.load([...accounts]);
      knownOf = (account) => loaded.get(account);
    } catch {
      reject(session, frame.id, 'unavailable', { retryAfterMs: RETRY_UNAVAILABLE_MS });
      return;
    }
    const mismatch = compareDevices(frame, session.device, (account) => knownOf(account)?.devices);
    if (mismatch === 'unknown' || mismatch === 'none' || !faultWith(frame, mismatch))
      await this.admit(session, frame, raw, knownOf);
    else if (frame.allDevices) this.tellMismatch(session, frame, mismatch);
    else reject(session, frame.id, 'unknown-device', { extra: mismatch.extra });
  }

  private tellMismatch(session: Session, { id }: Send, mismatch: Mismatch): void {
    const retryAfterMs = this.parts.limits.waitForMismatch(session.device);
    if (retryAfterMs > 0) reject(session, id, 'too-many-requests', { retryAfterMs });
    else reject(session, id, 'device-mismatch', mismatch);
    this.parts.metrics.relayMessages.inc({ result: 'device-mismatch' });
  }

  /** `knownOf`: the accounts named. */
  private admit(session: Session, frame: Send, raw: Uint8Array, knownOf: KnownOf): Promise<void> | undefined {
    const passage = this.parts.gate.admit(session.device, frame.id, frame, (account) => knownOf(account)?.rules);
    if (passage instanceof Promise)
      return passage.then((counted) => this.submit(session, frame, raw, counted, knownOf));
    this.submit(session, frame, raw, passage, knownOf);
    return undefined;
  }

  /** `knownOf` undefined: the recipient is the one device of an account that hears everybody. */
  private submit(session: Session, frame: Send, raw: Uint8Array, passage: Passage, knownOf?: KnownOf): void {
    const { limits, quota, mailClock } = this.parts;
    const { id } = frame;
    const sender = session.device;
    const { dropped, refused } = passage;
    const getsNothing = (account: AccountAddress) => dropped.has(account) || refused.has(account);
    const retryAfterMs =
      passage.waitMs || limits.waitForSend(sender, frame, passage === OPEN ? undefined : getsNothing);
    if (retryAfterMs > 0) {
      reject(session, id, 'too-many-requests', { retryAfterMs });
      return;
    }
    if (refused.size > 0 && isAllToOthers(sender, frame, refused)) {
      reject(session, id, 'contact-needed');
      return;
    }
    const at = mailClock.stamp();
    const shared = encodeMailShared({ sender, id, acceptedAt: at, body: frame.body });
    const parts = passage === OPEN ? frame.parts : frame.parts.filter(({ device }) => !getsNothing(accountOf(device)));
    const recipients = parts.map(({ device, content }) => {
      const known = knownOf?.(accountOf(device));
      return { device, own: encodeMailOwn(content), room: quota.roomOf(known?.devices.size || 1, known?.mail) };
    });
    const unwanted = refused.size === 0 ? NOBODY : devicesIn(frame, refused);
    const bytes = storedBytes(frame);
    const digest = contentDigest(raw);
    if (this.parts.submit({ session, sender, id, digest, at, shared, recipients, bytes, unwanted })) return;
    this.parts.metrics.relayMessages.inc({ result: 'overloaded' });
    reject(session, id, 'unavailable', { retryAfterMs: RETRY_UNAVAILABLE_MS });
  }

  /** True: durable, now or before. */
  private settle({ session, id, shared, recipients, unwanted }: Submission, result: AppendResult): boolean {
    const { hub, accountDevices } = this.parts;
    switch (result.status) {
      case 'accepted':
        for (let i = 0; i < recipients.length; i++) {
          const { device, own } = recipients[i]!;
          const seq = result.seqs[i]!;
          const pieces = [...shared, ...own];
          if (seq > 0) hub.deliver(device, seq, pieces, lengthOf(pieces));
        }
        tellLeftOut(session, id, result.refused, 'mailbox-full');
        tellLeftOut(session, id, unwanted, 'contact-needed');
        return true;
      case 'repeated':
        // The first attempt may have been stored by a node that died, or failed towards us, before it told anybody.
        for (const { device } of recipients) hub.wake(device);
        tellLeftOut(session, id, result.refused, 'mailbox-full');
        tellLeftOut(session, id, unwanted, 'contact-needed');
        return true;
      case 'conflict':
        reject(session, id, 'message-conflict');
        return false;
      case 'full':
        reject(session, id, 'mailbox-full', { retryAfterMs: RETRY_FULL_MS, full: result.devices });
        return false;
      case 'unknown':
        for (const device of result.devices) accountDevices.forget(accountOf(device));
        reject(session, id, 'unknown-device', { extra: result.devices });
        return false;
    }
  }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return length;
}
