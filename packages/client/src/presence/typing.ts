/**
 * That somebody is typing (docs/spec/presence.md section 4): told and shown only where both sides have switched it on and have written to each
 * other. Nothing of it is kept, and what is not said again within ten seconds is over.
 */
import { isComposing } from '@sealwire/cpim/composing';
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import type { Content } from '@sealwire/wire/envelope';
import { encodeClientFrame } from '@sealwire/wire/frame-codec';
import type { ServerFrame } from '@sealwire/wire/frames';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { PeerBook } from '../accounts/peer-book.ts';
import { deviceOf } from '../accounts/peer-record.ts';
import type { IncomingMessage } from '../events.ts';
import type { ChainName } from '../messages/chain/incoming-chains.ts';
import { hasWritten } from '../messages/chain/outgoing-records.ts';
import { isForeign } from '../messages/receipts/incoming-receipts.ts';
import type { Timers } from '../runtime.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import type { LimeTyping } from './lime-typing.ts';
import { presenceSettings } from './presence-records.ts';
import { ownTypingKey, takeTypingKey, typingDevices, typingKeyOf } from './typing-keys.ts';
import { openTyping, sealTyping } from './typing-seal.ts';

const SAID_EVERY_MS = 5_000;
const SHOWN_FOR_MS = 10_000;
/** An older word was kept back, or a clock is wrong. */
const OLDEST_MS = LIMITS.clockSkewMs.value;
const NO_CONTENT = new Uint8Array(0);

/** Not durable, and in no inbox. */
export interface TypingEvent {
  readonly from: AccountAddress;
  readonly device: DeviceId;
  readonly conversation: AccountAddress;
  readonly typing: boolean;
}

export interface TypingOptions {
  readonly ledger: Ledger;
  readonly book: Pick<PeerBook, 'find'>;
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly now: () => number;
  readonly timers: Timers;
  readonly me: DeviceId;
  /** The other accounts of a conversation, a group or a pair; none where this one may not write. */
  readonly others: (conversation: AccountAddress) => readonly AccountAddress[];
  /** Nothing is told to them or shown of them. */
  readonly isBlocked: (account: AccountAddress) => boolean;
  /** Of LIME devices of somebody else. */
  readonly lime: LimeTyping;
  /** Undefined: there is no link. */
  readonly transmit: () => ((frame: Uint8Array) => void) | undefined;
}

interface Shown {
  readonly device: DeviceId;
  readonly conversation: AccountAddress;
  /** Of the newest word of the device. */
  at: number;
  /** Ends what is shown; undefined: nothing is. */
  over: (() => void) | undefined;
}

export class Typing {
  readonly #options: TypingOptions;
  readonly #own: AccountAddress;
  readonly #listeners = new Set<(event: TypingEvent) => void>();
  /** When typing was said last, and whether that is to be taken back. */
  readonly #said = new Map<AccountAddress, { at: number; isOpen: boolean }>();
  /** By device and conversation. */
  readonly #shown = new Map<string, Shown>();

  constructor(options: TypingOptions) {
    this.#options = options;
    this.#own = accountOf(options.me);
  }

  /** The answer ends it. */
  onTyping(listener: (event: TypingEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What messages in the conversation give others along; undefined while typing is off. */
  keyFor(conversation: AccountAddress): Uint8Array | undefined {
    const { crypto, ledger } = this.#options;
    return conversation === this.#own ? undefined : ownTypingKey(crypto, ledger, conversation);
  }

  /** The user types in the conversation with `to`, or does not any more. To be said as often as keys are pressed. */
  say(to: AccountAddress, typing: boolean): void {
    const { now, lime } = this.#options;
    if (this.#mayTell(to)) lime.say(to, typing);
    const said = this.#said.get(to);
    const age = said ? now() - said.at : Number.POSITIVE_INFINITY;
    if (typing ? age >= 0 && age < SAID_EVERY_MS : !said?.isOpen || age >= SHOWN_FOR_MS) return;
    if (!this.#tell(to, typing)) return;
    this.#said.set(to, { at: typing ? now() : (said?.at ?? now()), isOpen: typing });
  }

  /** A message of ours leaves: its readers see by it that nobody types any more. */
  wrote(to: AccountAddress): void {
    const said = this.#said.get(to);
    if (said) said.isOpen = false;
    this.#options.lime.wrote(to);
  }

  /** A message of a chain, in the transaction that takes it. Call the answer once that is durable. */
  take(transaction: Transaction, name: ChainName, content: Content): () => void {
    if (accountOf(name.sender) === this.#own) return () => {};
    takeTypingKey(transaction, name, content);
    return () => {
      const shown = this.#shown.get(nameOf(name.sender, this.#conversation(name)));
      if (shown) this.#show(shown, false);
    };
  }

  /** A message that a device without chains has written to this account: that its user types, or does not any more. */
  foreign(message: IncomingMessage): void {
    const { ledger, now, lime, isBlocked } = this.#options;
    const { from, device, conversation, acceptedAt, type } = message;
    if (!presenceSettings(ledger).typing || from !== conversation || from === this.#own || isBlocked(from)) return;
    if (!hasWritten(ledger, conversation) || !isForeign(ledger, device)) return;
    if (isComposing(type) && Math.abs(now() - acceptedAt) > OLDEST_MS) return;
    const shownFor = isComposing(type) ? lime.heard(message) : 0;
    if (shownFor === undefined) return;
    const name = nameOf(device, conversation);
    const shown = this.#shown.get(name) ?? { device, conversation, at: 0, over: undefined };
    this.#shown.set(name, shown);
    this.#show(shown, shownFor > 0, shownFor);
  }

  received({ sender, body, content }: Extract<ServerFrame, { kind: 'ephemeral-deliver' }>): void {
    const { ledger, book, crypto, now, isBlocked } = this.#options;
    const from = accountOf(sender);
    if (content.length > 0 || !presenceSettings(ledger).typing || isBlocked(from)) return;
    const peer = book.find(from);
    if (!peer || !deviceOf(peer, sender)) return;
    const keyFor = (recipientUser: AccountAddress) => {
      const conversation = this.#conversation({ sender, recipientUser });
      const isHere = isGroupAddress(recipientUser) || recipientUser === this.#own;
      if (!isHere || !hasWritten(ledger, conversation) || !this.#options.others(conversation).includes(from))
        return undefined;
      return typingKeyOf(ledger, { sender, recipientUser });
    };
    const typed = openTyping(crypto, body, sender, keyFor);
    if (!typed || Math.abs(now() - typed.at) > OLDEST_MS) return;
    const conversation = this.#conversation({ sender, recipientUser: typed.recipientUser });
    const name = nameOf(sender, conversation);
    const shown = this.#shown.get(name) ?? { device: sender, conversation, at: 0, over: undefined };
    if (typed.at <= shown.at) return;
    shown.at = typed.at;
    this.#shown.set(name, shown);
    this.#show(shown, typed.typing);
  }

  /** No link, no news: nobody types as far as is known. */
  offline(): void {
    for (const shown of this.#shown.values()) this.#show(shown, false);
    this.#said.clear();
    this.#options.lime.offline();
  }

  #mayTell(to: AccountAddress): boolean {
    const { ledger, isBlocked, transmit } = this.#options;
    const isLinked = transmit() !== undefined;
    return isLinked && presenceSettings(ledger).typing && !isBlocked(to) && hasWritten(ledger, to);
  }

  /** False: it is not for anybody. */
  #tell(to: AccountAddress, typing: boolean): boolean {
    const { ledger, book, me, now, isBlocked, transmit } = this.#options;
    const send = transmit();
    const key = this.keyFor(to);
    if (!send || !key || !hasWritten(ledger, to)) return false;
    const devices = this.#options
      .others(to)
      .filter((account) => !isBlocked(account))
      .flatMap((account) => {
        const peer = book.find(account);
        const told = typingDevices(ledger, account, isGroupAddress(to) ? to : this.#own);
        return told.filter((device) => peer && deviceOf(peer, device));
      })
      .slice(0, LIMITS.partsPerFrame.value);
    if (devices.length === 0) return false;
    const body = sealTyping(this.#options, key, me, to, { typing, at: now() });
    const parts = devices.map((device) => ({ device, content: NO_CONTENT }));
    send(encodeClientFrame({ kind: 'ephemeral', body, parts }));
    return true;
  }

  #show(shown: Shown, typing: boolean, forMs = SHOWN_FOR_MS): void {
    const was = shown.over !== undefined;
    shown.over?.();
    shown.over = typing ? this.#options.timers.after(forMs, () => this.#show(shown, false)) : undefined;
    if (was === typing) return;
    const { device, conversation } = shown;
    for (const listener of [...this.#listeners]) listener({ from: accountOf(device), device, conversation, typing });
  }

  #conversation({ sender, recipientUser }: ChainName): AccountAddress {
    return isGroupAddress(recipientUser) ? recipientUser : accountOf(sender);
  }
}

function nameOf(device: DeviceId, conversation: AccountAddress): string {
  return `${device} ${conversation}`;
}
