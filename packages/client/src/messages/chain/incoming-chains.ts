/**
 * The chains that this device receives, one for each sending device and conversation (docs/spec/chain.md section 3), and what it owes
 * their senders: receipts (section 4). Table `heard`, key `heard/DEVICE CONVERSATION`; table `told`, one record: losses that the server
 * told of and that no hole has shown yet.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { chainDigest, deviceTag } from '@sealwire/wire/chain';
import { type ChainLink, type Content, RECEIPTS, type Receipt } from '@sealwire/wire/envelope';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { Ledger, Records, Transaction } from '../../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';
import type { DurableEvent } from '../inbox.ts';
import { receiptLevel } from '../receipts/receipt-level.ts';
import { follow, type IncomingChain, NOTHING_YET } from './incoming-chain.ts';

const LOST = 'told/lost';

interface StoredChain extends IncomingChain {
  /** Messages that could not be read, and that no hole has shown yet. */
  readonly unread: number;
  /** Its sender does not know yet what has arrived. */
  readonly owed: boolean;
  /** Its sender says that the session was broken, and nothing of the chain has come since. */
  readonly broken?: true;
  /** How often the server had told of losses without a number when the chain came so far; absent: never. */
  readonly unnumbered?: number;
  /** Up to here the user has been shown what its sender asked about, and lets it be told. */
  readonly displayed?: number;
}

/** What the server told of and no hole has shown yet, and how often it told of losses without a number. */
interface Told {
  readonly count: number;
  readonly unnumbered: number;
}

/** A chain by its two ends: who writes, and for which account or group it is encrypted. */
export interface ChainName {
  readonly sender: DeviceId;
  readonly recipientUser: AccountAddress;
}

const UNKNOWN: StoredChain = { ...NOTHING_YET, unread: 0, owed: false };

export class IncomingChains {
  readonly #ledger: Ledger;
  readonly #crypto: CryptoProvider;
  readonly #own: AccountAddress;
  readonly #tag: string;
  /** By conversation: devices that are owed a receipt. */
  readonly #owed = new Map<AccountAddress, Set<DeviceId>>();

  constructor(ledger: Ledger, crypto: CryptoProvider, me: DeviceId) {
    this.#ledger = ledger;
    this.#crypto = crypto;
    this.#own = accountOf(me);
    this.#tag = encodeBase64url(deviceTag(crypto, me));
    for (const key of ledger.keys('heard/')) {
      const [sender, recipientUser] = key.slice('heard/'.length).split(' ') as [DeviceId, AccountAddress];
      if (readChain(ledger, { sender, recipientUser }).owed) this.owe({ sender, recipientUser });
    }
  }

  /**
   * A message of a chain, in the transaction that takes it. `again`: sent once more, as this device has asked. Call `owe` once that is
   * durable.
   */
  follow(
    transaction: Transaction,
    name: ChainName,
    content: Content & { readonly link: ChainLink },
    again: boolean,
  ): DurableEvent[] {
    const before = readChain(transaction, name);
    const { number, previous, newcomers } = content.link;
    const { chain, finding } = follow(before, {
      number,
      digest: encodeBase64url(chainDigest(this.#crypto, name.sender, name.recipientUser, content)),
      previous: previous && { number: previous.number, digest: encodeBase64url(previous.digest) },
      newcomer: newcomers.some((tag) => encodeBase64url(tag) === this.#tag),
      again,
    });
    const about = { device: name.sender, conversation: this.#conversation(name) };
    const events: DurableEvent[] = [];
    const { unnumbered } = toldIn(transaction);
    const left = again ? Math.max(0, before.unread - 1) : before.unread;
    if (finding?.kind === 'hole') {
      const { first, last } = finding;
      const size = last - first + 1;
      const unread = Math.min(left, size);
      const isTold = (before.unnumbered ?? 0) < unnumbered;
      const told = isTold ? size : unread + takeLost(transaction, size - unread);
      events.push({ ...about, kind: 'hole', first, last, told, ...((again || before.broken) && { restarted: true }) });
    } else if (finding) {
      events.push({ ...about, kind: finding.kind, number });
    }
    // What could not be read and left no hole was never of this chain.
    const { received, holes } = chain;
    const { displayed } = before;
    const stays = { unnumbered, ...(displayed !== undefined && { displayed }) };
    writeChain(transaction, name, { received, holes, unread: again ? left : 0, owed: true, ...stays });
    return events;
  }

  /** The user has been shown the chain up to `number`, and its sender may know. Call `owe` once that is durable. */
  displayed(transaction: Transaction, name: ChainName, number: number): void {
    const chain = readChain(transaction, name);
    const newest = chain.received.at(-1)?.number ?? 0;
    if (number > newest || number <= (chain.displayed ?? 0)) return;
    writeChain(transaction, name, { ...chain, displayed: number, owed: true });
  }

  /** Something of the chain arrived that nobody can read. */
  unreadable(transaction: Transaction, name: ChainName): void {
    const chain = readChain(transaction, name);
    writeChain(transaction, name, { ...chain, unread: chain.unread + 1 });
  }

  /** The device says, in a session that is good, that the one before was broken. */
  sessionBroken(transaction: Transaction, sender: DeviceId): void {
    for (const key of transaction.keys(`heard/${sender} `)) {
      const name = { sender, recipientUser: key.slice(`heard/${sender} `.length) as AccountAddress };
      writeChain(transaction, name, { ...readChain(transaction, name), broken: true });
    }
  }

  /** The server says that it has lost so many messages, whoever wrote them; 0: it does not know how many. */
  lost(transaction: Transaction, count: number): void {
    const told = toldIn(transaction);
    const unnumbered = told.unnumbered + (count === 0 ? 1 : 0);
    transaction.set(LOST, encodeRecord({ count: told.count + count, unnumbered }));
  }

  /** The device has left its account's manifest for good. */
  forget(transaction: Transaction, sender: DeviceId): void {
    for (const key of transaction.keys(`heard/${sender} `)) transaction.delete(key);
  }

  /** Its sender waits for a receipt from now on. Answers the conversation. */
  owe(name: ChainName): AccountAddress {
    const conversation = this.#conversation(name);
    const owed = this.#owed.get(conversation);
    if (owed) owed.add(name.sender);
    else this.#owed.set(conversation, new Set([name.sender]));
    return conversation;
  }

  /** Conversations in which somebody is owed a receipt. */
  owing(): AccountAddress[] {
    return [...this.#owed.keys()];
  }

  /** What is to be told in a conversation, and to whom. */
  receipts(conversation: AccountAddress): { readonly receipts: Receipt[]; readonly devices: DeviceId[] } {
    const receipts: Receipt[] = [];
    const devices: DeviceId[] = [];
    for (const sender of this.#owed.get(conversation) ?? []) {
      const receipt = this.#receiptOf(this.#ledger, this.#name(sender, conversation));
      if (!receipt || receipts.length === RECEIPTS) continue;
      receipts.push(receipt);
      devices.push(sender);
    }
    return { receipts, devices };
  }

  /** The server has taken these receipts. Call the answer once that is durable. */
  told(transaction: Transaction, conversation: AccountAddress, receipts: readonly Receipt[]): () => void {
    const settled: DeviceId[] = [];
    for (const sender of this.#owed.get(conversation) ?? []) {
      const name = this.#name(sender, conversation);
      const owed = this.#receiptOf(transaction, name);
      if (owed && !receipts.some((receipt) => isSame(receipt, owed))) continue;
      // A record that is gone belonged to a device that is gone.
      if (owed) writeChain(transaction, name, { ...readChain(transaction, name), owed: false });
      settled.push(sender);
    }
    return () => {
      const owed = this.#owed.get(conversation);
      for (const sender of settled)
        if (!readChain(this.#ledger, this.#name(sender, conversation)).owed) owed?.delete(sender);
      if (owed?.size === 0) this.#owed.delete(conversation);
    };
  }

  /** What has arrived of a chain, and up to which number it was displayed; undefined when nothing has arrived. */
  receiptWith(records: Records, name: ChainName, displayed: number): Receipt | undefined {
    const { received, holes } = readChain(records, name);
    const newest = received.at(-1);
    return (
      newest && {
        device: deviceTag(this.#crypto, name.sender),
        number: newest.number,
        digest: decodeBase64url(newest.digest),
        missing: holes.map(({ after, number }) => ({ first: after + 1, last: number })),
        displayed: Math.min(displayed, newest.number),
      }
    );
  }

  /** What its sender is owed. */
  #receiptOf(records: Records, name: ChainName): Receipt | undefined {
    const { owed, displayed = 0 } = readChain(records, name);
    const isTold = receiptLevel(records, this.#conversation(name)) === 'on';
    return owed ? this.receiptWith(records, name, isTold ? displayed : 0) : undefined;
  }

  #conversation({ sender, recipientUser }: ChainName): AccountAddress {
    const author = accountOf(sender);
    return author === this.#own || isGroupAddress(recipientUser) ? recipientUser : author;
  }

  #name(sender: DeviceId, conversation: AccountAddress): ChainName {
    const isBoundToIt = accountOf(sender) === this.#own || isGroupAddress(conversation);
    return { sender, recipientUser: isBoundToIt ? conversation : this.#own };
  }
}

export function isSame(a: Receipt, b: Receipt): boolean {
  const text = ({ device, number, digest, missing, displayed }: Receipt) =>
    [
      encodeBase64url(device),
      number,
      displayed,
      encodeBase64url(digest),
      ...missing.map(({ first, last }) => `${first}-${last}`),
    ].join(' ');
  return text(a) === text(b);
}

/** Whether a device of `account` has written in a chain that is encrypted for `recipientUser`. */
export function hasHeard(records: Records, account: AccountAddress, recipientUser: AccountAddress): boolean {
  return records.keys(`heard/${account};`).some((key) => key.endsWith(` ${recipientUser}`));
}

const keyOf = ({ sender, recipientUser }: ChainName) => `heard/${sender} ${recipientUser}`;

function readChain(records: Records, name: ChainName): StoredChain {
  const stored = records.get(keyOf(name));
  return stored ? decodeRecord<StoredChain>(stored).header : UNKNOWN;
}

function writeChain(transaction: Transaction, name: ChainName, chain: StoredChain): void {
  transaction.set(keyOf(name), encodeRecord(chain));
}

function toldIn(records: Records): Told {
  const stored = records.get(LOST);
  return { count: 0, unnumbered: 0, ...(stored && decodeRecord<Partial<Told>>(stored).header) };
}

/** Takes up to `most` of the losses that the server told of. */
function takeLost(transaction: Transaction, most: number): number {
  const told = toldIn(transaction);
  const taken = Math.min(told.count, most);
  if (taken > 0) transaction.set(LOST, encodeRecord({ ...told, count: told.count - taken }));
  return taken;
}
