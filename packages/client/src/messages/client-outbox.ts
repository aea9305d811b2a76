/** What this device sends, and what has become of it, as the application sees it (docs/spec/client.md section 5). */
import type { RandomBytes } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { isGroupAddress } from '@sealwire/wire/group-address';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { DeviceAuthority } from '../accounts/device-authority.ts';
import { keptOut, type OnKeptOut } from '../accounts/kept-out.ts';
import type { PeerBook } from '../accounts/peer-book.ts';
import type { ClientContacts } from '../contacts/client-contacts.ts';
import type { ClientError } from '../errors.ts';
import type { Arrival, Content, OutgoingMessage, Unconfirmed } from '../events.ts';
import type { GroupAudiences } from '../groups/group-audiences.ts';
import type { Typing } from '../presence/typing.ts';
import type { Ledger } from '../storage/ledger.ts';
import type { OutgoingChains } from './chain/outgoing-chains.ts';
import type { ClientTimers } from './client-timers.ts';
import type { Outbox } from './outbox.ts';
import { contentOf, plaintextOf } from './plaintext.ts';
import { receiptLevel, requestsAt } from './receipts/receipt-level.ts';
import type { Sender } from './sender.ts';

export interface ClientOutboxOptions {
  readonly ledger: Ledger;
  readonly book: PeerBook;
  readonly written: OutgoingChains;
  readonly outbox: Outbox;
  readonly sender: Sender;
  readonly audiences: GroupAudiences;
  readonly contacts: Pick<ClientContacts, 'isStranger' | 'letIn'>;
  readonly typing: Pick<Typing, 'keyFor' | 'wrote'>;
  readonly timers: ClientTimers;
  /** Undefined: nobody is asked for a certificate. */
  readonly authority: DeviceAuthority | undefined;
  readonly own: AccountAddress;
  readonly random: RandomBytes;
  readonly now: () => number;
  /** Of messages with no choice of their own. */
  readonly onKeptOut: OnKeptOut;
  readonly addressOf: (to: string) => AccountAddress;
}

export class ClientOutbox {
  readonly #options: ClientOutboxOptions;

  constructor(options: ClientOutboxOptions) {
    this.#options = options;
  }

  /** As `Client.send`, which also looks whether there may be a connection once more. */
  async send(to: string, content: Content | string, onKeptOut = this.#options.onKeptOut): Promise<OutgoingMessage> {
    const { ledger, outbox, sender, contacts, typing, timers, random, now, addressOf } = this.#options;
    const address = addressOf(to);
    await this.#refuse(address, onKeptOut);
    const id = encodeBase64url(random(LIMITS.messageIdBytes.value));
    // In a group nobody is asked for notices: each member would answer all.
    const requests = isGroupAddress(address) ? undefined : requestsAt(receiptLevel(ledger, address));
    const lifetime = timers.get(address);
    const timed = lifetime > 0 ? { lifetime, ...contentOf(content) } : content;
    const plaintext = plaintextOf(timed, id, now(), requests, typing.keyFor(address));
    const { accepted } = await outbox.add(id, address, plaintext, onKeptOut);
    typing.wrote(address);
    // Who is written to may answer: the server is told first.
    if (contacts.isStranger(address)) void contacts.letIn(address).finally(() => sender.wake());
    else sender.wake();
    return { id, accepted };
  }

  /** How many messages wait. */
  pending(): number {
    return this.#options.outbox.count;
  }

  /** Resolves when no message waits: news of groups too. */
  emptied(): Promise<void> {
    return this.#options.outbox.emptied();
  }

  /** Why a message has not left so far, as the server said last; undefined when it said nothing. */
  refusalOf(id: string): ClientError | undefined {
    return this.#options.sender.refusalOf(id);
  }

  /** Calls `listener` with what devices confirm, from now on (docs/spec/chain.md section 4); the answer ends that. */
  onArrived(listener: (arrival: Arrival) => void): () => void {
    return this.#options.written.onArrived(listener);
  }

  /** The newest messages to `to` that some of their devices have not confirmed, the oldest first. Throws `bad-address`. */
  unconfirmed(to: string): Unconfirmed[] {
    return this.#options.written.unconfirmed(this.#options.addressOf(to));
  }

  /** Throws what is known already to stand in the way: what is not is found out when the message is encrypted. */
  async #refuse(address: AccountAddress, onKeptOut: OnKeptOut): Promise<void> {
    const { ledger: records, book, audiences, authority, own } = this.#options;
    const accounts = isGroupAddress(address) ? audiences.others(address) : [address];
    const known = accounts.flatMap((account) => book.find(account) ?? []);
    const addressees = known.map((peer) => ({ peer, devices: peer.manifest.devices }));
    const refresh = (account: AccountAddress) => book.refresh(account);
    const { devices, refusal } = await keptOut({ records, own, authority, refresh }, onKeptOut, address, addressees);
    const isForAll = known.length === accounts.length;
    if (refusal && isForAll && devices.length === addressees.flatMap((each) => each.devices).length) throw refusal;
  }
}
