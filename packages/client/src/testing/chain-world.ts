/** A sender, its recipients and a relay between them that keeps or breaks its word: chains without the encryption around them, for tests. */
import { nodeCrypto } from '@sealwire/crypto/node';
import { decodeContent, encodeContent, type Receipt } from '@sealwire/wire/envelope';
import { type AccountAddress, type DeviceId, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';
import { IncomingChains } from '../messages/chain/incoming-chains.ts';
import { OutgoingChains } from '../messages/chain/outgoing-chains.ts';
import type { DurableEvent } from '../messages/inbox.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';

const crypto = nodeCrypto();
const account = (name: string) => parseAccountAddress(`sip:${name}@example.org`);
export const deviceOf = (name: string, n: number) => parseDeviceId(`${account(name)};gr=urn:uuid:${n}`);
export const [ALICE, BOB, CAROL] = [account('alice'), account('bob'), account('carol')];
export const ME = deviceOf('alice', 1);

/** What becomes of a message on its way to acceptance. */
export type Fate = 'accepted' | 'answer lost' | 'refused' | 'refused but stored' | 'dropped';

interface Stored {
  readonly number: number;
  readonly conversation: AccountAddress;
  readonly plaintext: Uint8Array;
}

/** Memory that lives on when its process dies. */
class Disk {
  storage = new MemoryStorage();
  ledger!: Ledger;

  async open(): Promise<void> {
    this.storage = this.storage.copy();
    this.ledger = await Ledger.open(this.storage);
  }
}

export class Recipient extends Disk {
  chains!: IncomingChains;
  /** What the relay holds for it. */
  readonly mailbox: Stored[] = [];
  readonly delivered: Stored[] = [];

  constructor(readonly device: DeviceId) {
    super();
  }

  override async open(): Promise<void> {
    await super.open();
    this.chains = new IncomingChains(this.ledger, crypto, this.device);
  }

  /** Takes the message at `at` out of the mailbox; answers what the application is told of. */
  async take(at: number): Promise<{ events: DurableEvent[]; message: Stored } | undefined> {
    const [message] = this.mailbox.splice(at % Math.max(1, this.mailbox.length), 1);
    if (!message) return undefined;
    const content = decodeContent(message.plaintext);
    const name = { sender: ME, recipientUser: message.conversation };
    const events = await this.ledger.commit((transaction) =>
      this.chains.follow(transaction, name, { ...content, link: content.link! }, false),
    );
    this.chains.owe(name);
    this.delivered.push(message);
    return { events, message };
  }

  /** As `Receiver` names the conversation of what alice's device wrote. */
  conversationOf(message: Stored): AccountAddress {
    return this.device.startsWith(ALICE) ? message.conversation : ALICE;
  }
}

export class Sender extends Disk {
  chains!: OutgoingChains;
  /** Numbers that the relay has accepted, by conversation and device. */
  readonly accepted = new Map<string, number[]>();
  #count = 0;

  override async open(): Promise<void> {
    await super.open();
    this.chains = new OutgoingChains(this.ledger, crypto, ME);
  }

  acceptedFor(conversation: AccountAddress, device: DeviceId): number[] {
    const name = `${conversation} ${device}`;
    const numbers = this.accepted.get(name) ?? [];
    this.accepted.set(name, numbers);
    return numbers;
  }

  /** `crash`: the process dies after each durable step, and goes on with what is stored. */
  async send(conversation: AccountAddress, to: readonly Recipient[], fate: Fate, crash: boolean): Promise<void> {
    const id = `m${this.#count++}`;
    let plaintext: Uint8Array = encodeContent({ type: 'text/plain', body: new Uint8Array(1), sentAt: this.#count, id });
    const devices = to.map(({ device }) => device);
    const attempt = async () => {
      plaintext = this.chains.compose(conversation, plaintext, devices, []);
      const publish = await this.ledger.commit((transaction) =>
        this.chains.sealed(transaction, conversation, plaintext, devices, devices),
      );
      publish();
      if (crash) await this.open();
      const { number } = decodeContent(plaintext).link!;
      return { number, conversation, plaintext };
    };
    const store = (message: Stored) => {
      // A recipient takes an id once, whichever attempt it came with.
      const has = ({ number, conversation: of }: Stored) => number === message.number && of === conversation;
      for (const { mailbox, delivered } of to) if (![...mailbox, ...delivered].some(has)) mailbox.push(message);
    };
    let message = await attempt();
    if (fate === 'answer lost' || fate === 'refused but stored') store(message);
    if (fate === 'answer lost') message = await attempt();
    if (fate === 'accepted' || fate === 'answer lost') store(message);
    const isRefused = fate === 'refused' || fate === 'refused but stored';
    const content = decodeContent(plaintext);
    const publish = await this.ledger.commit((transaction) =>
      isRefused
        ? this.chains.failed(transaction, conversation, content)
        : this.chains.accepted(transaction, conversation, content, []),
    );
    publish();
    if (crash) await this.open();
    if (!isRefused) for (const device of devices) this.acceptedFor(conversation, device).push(message.number);
  }

  /** Answers ids that arrived, and what the application is told of. */
  async confirmed(
    conversation: AccountAddress,
    device: DeviceId,
    receipts: readonly Receipt[],
  ): Promise<{ ids: readonly string[]; events: readonly DurableEvent[] }> {
    let ids: readonly string[] = [];
    const forget = this.chains.onArrived((arrival) => {
      ids = arrival.ids;
    });
    const { events, publish } = await this.ledger.commit((transaction) =>
      this.chains.confirmed(transaction, conversation, device, receipts),
    );
    publish();
    forget();
    return { ids, events };
  }
}
