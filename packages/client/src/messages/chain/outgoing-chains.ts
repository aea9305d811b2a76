/**
 * The chains that this device writes, one for each conversation (docs/spec/chain.md sections 2 and 4), and which of their messages have
 * arrived where.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { chainDigest, deviceTag } from '@sealwire/wire/chain';
import { type Content, decodeContent, encodeContent, NEWCOMERS, type Receipt } from '@sealwire/wire/envelope';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { Arrival, Unconfirmed } from '../../events.ts';
import type { Ledger, Records, Transaction } from '../../storage/ledger.ts';
import { forgetKept } from '../healing/kept-messages.ts';
import type { DurableEvent } from '../inbox.ts';
import { awaitDisplay, displayedById, displayedUpTo, forgetDisplay } from '../receipts/awaited-displays.ts';
import { dispositionsIn } from '../receipts/receipt-level.ts';
import { readChain, readSent, type SentMessage, sentKey, writeChain, writeSent } from './outgoing-records.ts';

/** Of one conversation: older ones that nobody confirmed are forgotten. */
export const UNCONFIRMED = 128;

/** What of ours a device has, as ids: told for the first time. */
interface Confirmed {
  readonly events: readonly DurableEvent[];
  readonly delivered: readonly string[];
  readonly displayed: readonly string[];
  publish(): void;
}

const NOTHING_CONFIRMED: Confirmed = { events: [], delivered: [], displayed: [], publish: () => {} };

export class OutgoingChains {
  readonly #crypto: CryptoProvider;
  readonly #me: DeviceId;
  readonly #ledger: Ledger;
  readonly #tag: string;
  /** Numbers in `sent` by conversation, ascending. */
  readonly #unconfirmed = new Map<AccountAddress, number[]>();
  readonly #listeners = new Set<(arrival: Arrival) => void>();

  constructor(ledger: Ledger, crypto: CryptoProvider, me: DeviceId) {
    this.#ledger = ledger;
    this.#crypto = crypto;
    this.#me = me;
    this.#tag = encodeBase64url(deviceTag(crypto, me));
    for (const key of ledger.keys('sent/')) {
      const [conversation, number] = key.slice('sent/'.length).split(' ') as [AccountAddress, string];
      this.#numbersOf(conversation).push(Number(number));
    }
    for (const numbers of this.#unconfirmed.values()) numbers.sort((a, b) => a - b);
  }

  /** Calls `listener` with what receipts confirm; the answer ends that. */
  onArrived(listener: (arrival: Arrival) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  unconfirmed(conversation: AccountAddress): Unconfirmed[] {
    return this.#sentIn(this.#ledger, conversation).map(({ id, devices }) => ({ id, devices }));
  }

  /** That have not confirmed the message. */
  devicesOf(conversation: AccountAddress, number: number): readonly DeviceId[] {
    return readSent(this.#ledger, conversation, number)?.devices ?? [];
  }

  /**
   * The plaintext of an attempt: `plaintext` with its place in the chain, the same in every attempt, and with what changes from one to
   * the next. `devices`: all whom the message is for.
   */
  compose(
    conversation: AccountAddress,
    plaintext: Uint8Array,
    devices: readonly DeviceId[],
    receipts: readonly Receipt[],
  ): Uint8Array {
    const content = decodeContent(plaintext);
    const { next, accepted, introduced } = readChain(this.#ledger, conversation);
    const newcomers = devices
      .filter((device) => !introduced.includes(device))
      .slice(0, NEWCOMERS)
      .map((device) => deviceTag(this.#crypto, device));
    const place = content.link ?? {
      number: next,
      ...(accepted && { previous: { number: accepted[0], digest: decodeBase64url(accepted[1]) } }),
    };
    return encodeContent({ ...content, link: { ...place, newcomers }, receipts });
  }

  /**
   * An attempt of `compose` that was encrypted for `devices`, in the transaction that changes their ratchets. `named`: all devices of the
   * conversation; others are of the past.
   */
  sealed(
    transaction: Transaction,
    conversation: AccountAddress,
    plaintext: Uint8Array,
    devices: readonly DeviceId[],
    named: readonly DeviceId[],
  ): () => void {
    const content = decodeContent(plaintext);
    const { number } = content.link!;
    const chain = readChain(transaction, conversation);
    const introduced = chain.introduced.filter((device) => named.includes(device));
    writeChain(transaction, conversation, { ...chain, next: Math.max(chain.next, number + 1), introduced });
    const digest = encodeBase64url(chainDigest(this.#crypto, this.#me, conversation, content));
    const id = content.id!;
    writeSent(transaction, conversation, { id, number, digest, devices, missed: [] });
    const others = devices.filter((device) => accountOf(device) !== accountOf(this.#me));
    if (others.length > 0 && dispositionsIn(content.requests).includes('display'))
      awaitDisplay(transaction, conversation, number, { id, devices: others });
    const numbers = this.#numbersOf(conversation);
    const forgotten = numbers.includes(number) ? [] : numbers.slice(0, Math.max(0, numbers.length + 1 - UNCONFIRMED));
    for (const old of forgotten) this.#forget(transaction, conversation, old);
    return () => {
      this.#drop(conversation, [...forgotten, number]);
      this.#numbersOf(conversation).push(number);
    };
  }

  /** The server has taken the message, but not for `leftOut`. Call the answer once that is durable. */
  accepted(
    transaction: Transaction,
    conversation: AccountAddress,
    content: Content,
    leftOut: readonly DeviceId[],
  ): () => void {
    const { number } = content.link!;
    const chain = readChain(transaction, conversation);
    const sent = readSent(transaction, conversation, number);
    const introduced = [...new Set([...chain.introduced, ...(sent?.devices ?? [])])];
    const digest = sent?.digest ?? encodeBase64url(chainDigest(this.#crypto, this.#me, conversation, content));
    writeChain(transaction, conversation, { ...chain, accepted: [number, digest], introduced });
    if (!sent) return () => {};
    return this.#settle(transaction, conversation, sent, (device) => !leftOut.includes(device));
  }

  /** The message will never be sent. Call the answer once that is durable. */
  failed(transaction: Transaction, conversation: AccountAddress, content: Content): () => void {
    const { number } = content.link!;
    this.#forget(transaction, conversation, number);
    forgetDisplay(transaction, conversation, number);
    return () => this.#drop(conversation, [number]);
  }

  /** `device` could not read a message, and gets it again: that it is missing there is no news. */
  repeated(transaction: Transaction, conversation: AccountAddress, number: number, device: DeviceId): void {
    const message = readSent(transaction, conversation, number);
    if (!message || message.missed.includes(device)) return;
    writeSent(transaction, conversation, { ...message, missed: [...message.missed, device] });
  }

  /** `device` says what it has of this chain, in a message of the conversation. Call `publish` once that is durable. */
  confirmed(
    transaction: Transaction,
    conversation: AccountAddress,
    device: DeviceId,
    receipts: readonly Receipt[],
  ): Confirmed {
    const receipt = receipts.find((each) => encodeBase64url(each.device) === this.#tag);
    if (!receipt) return NOTHING_CONFIRMED;
    const events: DurableEvent[] = [];
    const publish: (() => void)[] = [];
    const chain = readChain(transaction, conversation);
    const sent = this.#sentIn(transaction, conversation);
    const newest = sent.find(({ number }) => number === receipt.number);
    const isOther = newest && newest.digest !== encodeBase64url(receipt.digest);
    if (isOther || receipt.number >= chain.next) {
      // Somebody writes under our name: a copy of this device, newer or older than this one.
      const { number } = receipt;
      if (number <= (chain.foreign ?? 0)) return NOTHING_CONFIRMED;
      writeChain(transaction, conversation, { ...chain, foreign: number });
      const fork = { kind: 'fork', device: this.#me, conversation, number, seenBy: device } as const;
      return { ...NOTHING_CONFIRMED, events: [fork] };
    }
    const ids: string[] = [];
    const missed: string[] = [];
    for (const message of sent) {
      const { id, number, devices } = message;
      if (number > receipt.number || !devices.includes(device)) continue;
      if (!receipt.missing.some(({ first, last }) => first <= number && number <= last)) {
        ids.push(id);
        publish.push(this.#settle(transaction, conversation, message, (other) => other !== device));
      } else if (!message.missed.includes(device)) {
        missed.push(id);
        writeSent(transaction, conversation, { ...message, missed: [...message.missed, device] });
      }
    }
    if (ids.length > 0 && !chain.introduced.includes(device))
      writeChain(transaction, conversation, { ...chain, introduced: [...chain.introduced, device] });
    if (missed.length > 0) events.push({ kind: 'not-arrived', to: conversation, device, ids: missed });
    const { displayed } = receipt;
    return {
      events,
      delivered: ids,
      displayed: displayed > 0 ? displayedUpTo(transaction, conversation, device, displayed) : [],
      publish: () => {
        for (const each of publish) each();
        if (ids.length > 0) for (const listener of this.#listeners) listener({ to: conversation, device, ids });
      },
    };
  }

  /**
   * A notice of `device`, a LIME device of somebody else, about the message `id` of this conversation. What it says of messages that were
   * not for it, or says twice, is no news. Call `publish` once that is durable.
   */
  noticed(
    transaction: Transaction,
    conversation: AccountAddress,
    device: DeviceId,
    id: string,
    what: 'arrived' | 'displayed' | 'failed',
  ): { readonly isNews: boolean; publish(): void } {
    const message = this.#sentIn(transaction, conversation).find((sent) => sent.id === id);
    const isConfirmed = message?.devices.includes(device) ?? false;
    const newest = readChain(transaction, conversation).next - 1;
    const isNews = what === 'displayed' ? displayedById(transaction, conversation, device, newest, id) : isConfirmed;
    if (!message || !isConfirmed) return { isNews, publish: () => {} };
    const settle = this.#settle(transaction, conversation, message, (other) => other !== device);
    return {
      isNews,
      publish: () => {
        settle();
        if (what === 'failed') return;
        for (const listener of this.#listeners) listener({ to: conversation, device, ids: [id] });
      },
    };
  }

  /** Only devices that `waits` keeps are waited for; without any the message is done with. */
  #settle(
    transaction: Transaction,
    conversation: AccountAddress,
    message: SentMessage,
    waits: (device: DeviceId) => boolean,
  ): () => void {
    const devices = message.devices.filter(waits);
    if (devices.length > 0) {
      writeSent(transaction, conversation, { ...message, devices });
      return () => {};
    }
    this.#forget(transaction, conversation, message.number);
    return () => this.#drop(conversation, [message.number]);
  }

  #forget(transaction: Transaction, conversation: AccountAddress, number: number): void {
    transaction.delete(sentKey(conversation, number));
    forgetKept(transaction, conversation, number);
  }

  #sentIn(records: Records, conversation: AccountAddress): SentMessage[] {
    const numbers = this.#unconfirmed.get(conversation) ?? [];
    return numbers.flatMap((number) => readSent(records, conversation, number) ?? []);
  }

  #numbersOf(conversation: AccountAddress): number[] {
    const numbers = this.#unconfirmed.get(conversation) ?? [];
    this.#unconfirmed.set(conversation, numbers);
    return numbers;
  }

  #drop(conversation: AccountAddress, gone: readonly number[]): void {
    const left = this.#numbersOf(conversation).filter((number) => !gone.includes(number));
    if (left.length > 0) this.#unconfirmed.set(conversation, left);
    else this.#unconfirmed.delete(conversation);
  }
}
