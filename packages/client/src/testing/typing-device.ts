/** A device that knows typing and nothing else, over a relay that a test plays. */
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { Content } from '@sealwire/wire/envelope';
import { decodeClientFrame } from '@sealwire/wire/frame-codec';
import type { Ephemeral } from '@sealwire/wire/frames';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { PeerRecord } from '../accounts/peer-record.ts';
import { writeChain } from '../messages/chain/outgoing-records.ts';
import type { LimeTyping } from '../presence/lime-typing.ts';
import { setPresenceSettings } from '../presence/presence-records.ts';
import { Typing } from '../presence/typing.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { deviceOf } from './chain-world.ts';
import type { FakeTime } from './fake-time.ts';

const crypto = nodeCrypto();
const random = seededRandom(7);

export class TypingDevice {
  typing!: Typing;
  ledger!: Ledger;
  sent: Ephemeral[] = [];
  events: string[] = [];
  blocked: AccountAddress[] = [];
  isOnline = true;
  /** Named by no manifest. */
  gone: DeviceId[] = [];
  /** Of the only group that there is; none when this account is not a member. */
  members: AccountAddress[] = [];
  #storage = new MemoryStorage();

  constructor(
    readonly id: DeviceId,
    private readonly time: FakeTime,
  ) {}

  get account(): AccountAddress {
    return accountOf(this.id);
  }

  async open(): Promise<this> {
    this.#storage = this.#storage.copy();
    this.ledger = await Ledger.open(this.#storage);
    const known = [1, 2].flatMap((n) => ['alice', 'bob', 'carol'].map((name) => deviceOf(name, n)));
    this.typing = new Typing({
      ledger: this.ledger,
      book: {
        find: (address) => {
          const devices = known.filter((id) => accountOf(id) === address && !this.gone.includes(id));
          return { manifest: { devices: devices.map((id) => ({ id })) } } as unknown as PeerRecord;
        },
      },
      crypto,
      random,
      now: this.time.now,
      timers: this.time,
      me: this.id,
      others: (conversation) => {
        if (!isGroupAddress(conversation)) return [conversation];
        if (!this.members.includes(this.account)) return [];
        return this.members.filter((member) => member !== this.account);
      },
      lime: { say: () => {}, wrote: () => {}, offline: () => {}, heard: () => undefined } as unknown as LimeTyping,
      isBlocked: (account) => this.blocked.includes(account),
      transmit: () =>
        this.isOnline ? (frame) => void this.sent.push(decodeClientFrame(frame) as Ephemeral) : undefined,
    });
    this.typing.onTyping(({ from, typing, conversation }) =>
      this.events.push(`${from} ${typing}${isGroupAddress(conversation) ? ' in the group' : ''}`),
    );
    return this;
  }

  async switchedOn(typing = true): Promise<this> {
    await this.ledger.commit((transaction) => setPresenceSettings(transaction, { online: false, typing }, random));
    return this;
  }

  /** A message to `to`, which takes it. */
  async writes(to: TypingDevice, conversation = to.account): Promise<void> {
    const typingKey = this.typing.keyFor(conversation);
    await this.ledger.commit((transaction) => writeChain(transaction, conversation, { next: 2, introduced: [] }));
    this.typing.wrote(conversation);
    await to.hears(this, { sentAt: this.time.now(), ...(typingKey && { typingKey }) }, conversation);
  }

  async hears(
    from: TypingDevice,
    content: Pick<Content, 'sentAt' | 'typingKey'>,
    recipientUser = this.account,
  ): Promise<void> {
    const chain = { sender: from.id, recipientUser };
    const message = { type: 'text/plain', body: new Uint8Array(1), ...content };
    const publish = await this.ledger.commit((transaction) => this.typing.take(transaction, chain, message));
    publish();
  }

  /** What the relay makes of a frame of `from`. */
  gets(frame: Ephemeral, from: TypingDevice): void {
    const part = frame.parts.find(({ device }) => device === this.id);
    if (!part) return;
    const { body } = frame;
    this.typing.received({ kind: 'ephemeral-deliver', sender: from.id, sentAt: 0, content: part.content, body });
  }
}
