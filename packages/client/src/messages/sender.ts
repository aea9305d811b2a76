/**
 * Empties the outbox (docs/spec/client.md section 5): for each conversation one message at a time, so that its order survives every
 * refusal and every lost link; several conversations side by side.
 *
 * encrypt, one durable write → send → accepted: forgotten │ link lost: the same frame again │ devices differ: newer manifests, a new
 * attempt │ not now: the same frame later │ never: told.
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { encodeEnvelope } from '@sealwire/wire/envelope';
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import type { Accepted, LeftOut, Rejected } from '@sealwire/wire/frames';
import { type AccountAddress, accountOf, type DeviceId, nameOf } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import type { PeerBook } from '../accounts/peer-book.ts';
import { deviceOf } from '../accounts/peer-record.ts';
import { backOff } from '../connection/back-off.ts';
import type { EngineContext } from '../engines/engine.ts';
import { EngineError, type Engines } from '../engines/engines.ts';
import { asClientError, ClientError } from '../errors.ts';
import type { Acceptance } from '../events.ts';
import { pause, type Timers } from '../runtime.ts';
import { fanOut } from './fan-out.ts';
import type { Inbox } from './inbox.ts';
import type { Outbox, OutboxEntry } from './outbox.ts';

const CONVERSATIONS_AT_ONCE = 8;
/** A manifest this old is asked for again; the relay tells of changes in between by refusing. */
const MANIFEST_AGE_MS = 60 * 60_000;
/** A relay that takes this long to answer is as good as gone: the same frame goes out on the next link. */
const ANSWER_WITHIN_MS = 30_000;
/** How often one message may be encrypted because the devices differ. */
const ATTEMPTS = 6;
const NOBODY: readonly DeviceId[] = [];

export interface SenderOptions {
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly book: PeerBook;
  readonly engines: Engines;
  readonly context: EngineContext;
  readonly me: DeviceId;
  readonly random: RandomBytes;
  readonly timers: Timers;
  readonly transmit: (frame: Uint8Array) => void;
  /** This link is of no use. */
  readonly drop: (reason: string) => void;
  /** The storage is of no use any more. */
  readonly broken: (reason: ClientError) => void;
}

/** A page of a proxy in between, servers that disagree about a token: nothing that the message could be blamed for. */
const PASSING = ['bad-answer', 'unauthorized', 'token-expired'];

type Outcome = ({ readonly kind: 'accepted' } & Acceptance) | { readonly kind: 'offline' } | Rejected;

export class Sender {
  readonly #options: SenderOptions;
  readonly #own: AccountAddress;
  readonly #busy = new Map<AccountAddress, Promise<void>>();
  readonly #inFlight = new Map<string, (outcome: Outcome) => void>();
  /** Of messages in flight, by relay id: devices that the relay left out. */
  readonly #leftOut = new Map<string, readonly DeviceId[]>();
  /** Messages, by number, of which the user knows that they wait for room. */
  readonly #toldFull = new Set<number>();
  /** Aborted when the link is lost: all pauses end. */
  #period: AbortController | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#own = accountOf(options.me);
  }

  online(): void {
    this.#period = new AbortController();
    this.wake();
  }

  offline(): void {
    this.#period?.abort();
    this.#period = undefined;
    const waiting = [...this.#inFlight.values()];
    this.#inFlight.clear();
    this.#leftOut.clear();
    for (const resolve of waiting) resolve({ kind: 'offline' });
  }

  /** Looks for work. */
  wake(): void {
    const period = this.#period?.signal;
    if (!period) return;
    for (const to of this.#options.outbox.addressees()) {
      if (this.#busy.size >= CONVERSATIONS_AT_ONCE) return;
      if (this.#busy.has(to)) continue;
      const emptied = this.#empty(to, period)
        .catch((error) => this.#options.broken(asClientError(error, 'engine-failed')))
        .finally(() => this.#busy.delete(to));
      this.#busy.set(to, emptied);
      void emptied.then(() => this.wake());
    }
  }

  /** Resolves when nothing is under way; to be called when offline. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  accepted({ ids }: Accepted): void {
    for (const id of ids) {
      const relayId = encodeBase64url(id);
      this.#settle(relayId, { kind: 'accepted', leftOut: this.#leftOut.get(relayId) ?? NOBODY });
      this.#leftOut.delete(relayId);
    }
  }

  /** Said before the message is accepted. */
  leftOut({ id, devices }: LeftOut): void {
    const relayId = encodeBase64url(id);
    if (this.#inFlight.has(relayId)) this.#leftOut.set(relayId, devices);
  }

  rejected(rejected: Rejected): void {
    this.#settle(encodeBase64url(rejected.id), rejected);
  }

  #settle(relayId: string, outcome: Outcome): void {
    this.#inFlight.get(relayId)?.(outcome);
    this.#inFlight.delete(relayId);
  }

  /** Sends what is queued for one addressee, until there is nothing more or the link is lost. */
  async #empty(to: AccountAddress, period: AbortSignal): Promise<void> {
    let failures = 0;
    let gone: ReadonlySet<DeviceId> = new Set();
    while (!period.aborted) {
      const entry = this.#options.outbox.first(to);
      if (!entry) return;
      try {
        const outcome = await this.#attempt(entry, gone, period);
        if (outcome.kind === 'offline') return;
        if (outcome.kind === 'accepted') {
          await this.#accept(entry, outcome.leftOut);
          failures = 0;
          gone = new Set();
        } else {
          gone = await this.#afterRefusal(this.#options.outbox.first(to) ?? entry, outcome);
        }
      } catch (error) {
        const reason = reasonOf(error);
        if (period.aborted || reason.code === 'aborted') return;
        if (isBroken(reason)) return this.#options.broken(reason);
        if (!reason.retryable && !PASSING.includes(reason.code)) await this.#giveUp(entry, reason);
        else await pause(this.#options.timers, backOff(failures++, this.#options.random, reason.retryAfterMs), period);
      }
    }
  }

  async #attempt(entry: OutboxEntry, gone: ReadonlySet<DeviceId>, period: AbortSignal): Promise<Outcome> {
    const { outbox, transmit, timers, drop } = this.#options;
    const sealed = outbox.frameOf(entry) ? entry : await this.#seal(entry, gone);
    if (!sealed) return { kind: 'accepted', leftOut: NOBODY };
    if (period.aborted) return { kind: 'offline' };
    const frame = outbox.frameOf(sealed)!;
    const cancel = timers.after(ANSWER_WITHIN_MS, () => drop('no answer to a message'));
    const outcome = await new Promise<Outcome>((resolve) => {
      this.#inFlight.set(sealed.relayId!, resolve);
      transmit(frame);
    });
    cancel();
    return outcome;
  }

  /** Undefined when there is no device to send to: a note to self without another device. */
  async #seal(entry: OutboxEntry, gone: ReadonlySet<DeviceId>): Promise<OutboxEntry | undefined> {
    const { outbox, book, engines, context, me, random } = this.#options;
    const peer = await book.current(entry.to, MANIFEST_AGE_MS);
    const own = await book.current(this.#own, MANIFEST_AGE_MS);
    const { recipients, copies } = fanOut(peer, own, me, gone);
    if (recipients.length + copies.length === 0) return undefined;
    const draft = { recipientUser: entry.to, recipients, copies, plaintext: outbox.plaintextOf(entry) };
    const id = outbox.relayIdFor(entry, random);
    let sealedEntry = entry;
    await engines.seal(draft, context, (transaction, { engine, parts, cipherMessage }) => {
      const body = encodeEnvelope({ engine, recipientUser: entry.to, cipherMessage });
      const frame = encodeClientFrame({ kind: 'send', id, body, parts, allDevices: true });
      sealedEntry = outbox.seal(transaction, entry, id, frame);
    });
    outbox.replace(sealedEntry);
    return sealedEntry;
  }

  async #accept(entry: OutboxEntry, leftOut: readonly DeviceId[]): Promise<void> {
    const { outbox, inbox } = this.#options;
    const { id, to } = entry;
    let publish: (() => void) | undefined;
    await outbox.accepted(entry, { leftOut }, (transaction) => {
      if (entry.restored && leftOut.length > 0)
        publish = inbox.add(transaction, { kind: 'left-out', id, to, devices: leftOut, queued: false });
    });
    this.#toldFull.delete(entry.number);
    publish?.();
  }

  /** Once, however often the message is tried. */
  async #tellFull({ number, id, to }: OutboxEntry, devices: readonly DeviceId[]): Promise<void> {
    if (devices.length === 0 || this.#toldFull.has(number)) return;
    this.#toldFull.add(number);
    const { inbox, context } = this.#options;
    let publish: (() => void) | undefined;
    await context.commit((transaction) => {
      publish = inbox.add(transaction, { kind: 'left-out', id, to, devices, queued: true });
    });
    publish?.();
  }

  /** What to leave out of the next attempt. Throws the refusal as an error when the same frame may go later, or never. */
  async #afterRefusal(entry: OutboxEntry, refusal: Rejected): Promise<ReadonlySet<DeviceId>> {
    const { outbox, book, me } = this.#options;
    const { code, text, retryable, retryAfterMs } = refusal;
    await this.#tellFull(entry, refusal.full);
    if (code !== 'device-mismatch' && code !== 'unknown-device')
      throw new ClientError(code, text, { retryable, ...(retryAfterMs > 0 ? { retryAfterMs } : {}) });
    await outbox.unseal(entry);
    const peer = await book.refresh(entry.to);
    const own = await book.refresh(this.#own);
    if (entry.attempt >= ATTEMPTS) {
      const ghost = refusal.missing.find((id) => id !== me && !deviceOf(peer, id) && !deviceOf(own, id));
      throw ghost ? ghostDevice(ghost) : new ClientError(code, text, { retryable: false });
    }
    return new Set(refusal.extra);
  }

  async #giveUp(entry: OutboxEntry, reason: ClientError): Promise<void> {
    const { outbox, inbox, book } = this.#options;
    const published: (() => void)[] = [];
    const suspect = reason instanceof EngineError ? reason.suspect : undefined;
    await outbox.failed(entry, reason, (transaction) => {
      if (suspect) {
        book.writeTrust(transaction, suspect, 'unsafe');
        published.push(inbox.add(transaction, { kind: 'identity-change', device: suspect }));
      }
      if (!entry.restored) return;
      const { id, to } = entry;
      published.push(inbox.add(transaction, { kind: 'send-failed', id, to, code: reason.code, text: reason.message }));
    });
    for (const publish of published) publish();
  }
}

function reasonOf(error: unknown): ClientError {
  if (error instanceof WireError && error.code === 'payload-too-large')
    return new ClientError('message-too-large', 'the message is too large: send it as a file', { cause: error });
  return asClientError(error, 'engine-failed');
}

function isBroken({ code }: ClientError): boolean {
  return code === 'storage-failed' || code === 'closed' || code === 'corrupt';
}

function ghostDevice(device: DeviceId): ClientError {
  return new ClientError(
    'ghost-device',
    `the server wants a copy for a device that ${nameOf(accountOf(device))} never signed (${device}): nothing is sent; ask the operator`,
  );
}
