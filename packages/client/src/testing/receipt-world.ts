/** A device of alice's with what it knows of bob: a desk of his that knows receipts, and a phone that is a LIME device of somebody else. For tests. */
import { type ImdnNotice, writeNotice } from '@sealwire/cpim/notice';
import { nodeCrypto } from '@sealwire/crypto/node';
import { type Content, encodeContent } from '@sealwire/wire/envelope';
import { type AccountAddress, accountOf, type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { encodeManifest, noPreviousManifest } from '@sealwire/wire/manifest';
import { writePeer } from '../accounts/peer-record.ts';
import type { IncomingMessage, Trust } from '../events.ts';
import { IncomingChains } from '../messages/chain/incoming-chains.ts';
import { OutgoingChains } from '../messages/chain/outgoing-chains.ts';
import { ClientReceipts } from '../messages/receipts/client-receipts.ts';
import { IncomingReceipts } from '../messages/receipts/incoming-receipts.ts';
import { OwedNotices } from '../messages/receipts/owed-notices.ts';
import { OwnDisplays } from '../messages/receipts/own-displays.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { ALICE, BOB, deviceOf, ME } from './chain-world.ts';

export const DESK = deviceOf('bob', 1);
export const PHONE = parseDeviceId(`${BOB};gr=urn:uuid:phone`);
export const OWN_PHONE = parseDeviceId(`${ALICE};gr=urn:uuid:phone`);
export const LAPTOP = deviceOf('alice', 2);
export const CAROLS = deviceOf('carol', 1);
const crypto = nodeCrypto();
const ASKS = { 'positive-delivery': 1, display: 8 } as const;

export class ReceiptWorld {
  now = 1_000_000;
  storage = new MemoryStorage();
  ledger!: Ledger;
  heard!: IncomingChains;
  written!: OutgoingChains;
  displays!: OwnDisplays;
  notices!: OwedNotices;
  incoming!: IncomingReceipts;
  client!: ClientReceipts;
  /** Conversations in which somebody was to be told something. */
  owing: AccountAddress[] = [];
  #sent = 0;

  static async open(): Promise<ReceiptWorld> {
    const world = new ReceiptWorld();
    await world.reopen();
    await world.knows(DESK, PHONE);
    await world.knows(ME, LAPTOP, OWN_PHONE);
    return world;
  }

  /** As after the death of the process. */
  async reopen(): Promise<void> {
    this.storage = this.storage.copy();
    const ledger = await Ledger.open(this.storage);
    this.ledger = ledger;
    this.heard = new IncomingChains(ledger, crypto, ME);
    this.written = new OutgoingChains(ledger, crypto, ME);
    this.displays = new OwnDisplays(ledger, crypto, this.heard, ME);
    this.notices = new OwedNotices(ledger, () => this.now);
    const { written, displays, notices, heard } = this;
    this.incoming = new IncomingReceipts({ written, displays, notices, own: ALICE });
    const addressOf = (name: string) => name as AccountAddress;
    const owing = (conversation: AccountAddress) => void this.owing.push(conversation);
    this.client = new ClientReceipts({ ledger, heard, displays, notices, me: ME, addressOf, owing });
  }

  /** The account of these devices; a phone has no login key. */
  async knows(...ids: DeviceId[]): Promise<void> {
    await this.trusts('untrusted', ...ids);
  }

  async trusts(trust: Trust, ...ids: DeviceId[]): Promise<void> {
    const address = accountOf(ids[0]!);
    const publicKey = crypto.ed25519.publicKey(new Uint8Array(32));
    const identities = [{ suite: 'c25519', identityKey: publicKey }] as const;
    const sorted = [...ids].sort();
    const devices = sorted.map((id) => {
      return { id, identities, loginKey: id.endsWith(':phone') ? new Uint8Array(0) : publicKey, addedAt: 1 };
    });
    const manifest = { address, version: 1, previous: noPreviousManifest(), issuedAt: 1, devices };
    const record = { address, accountKey: publicKey, manifest, bytes: encodeManifest(manifest), checkedAt: 1 };
    await this.ledger.commit((transaction) =>
      writePeer(transaction, { ...record, trust: new Map(sorted.map((id) => [id, trust])) }),
    );
  }

  /** A message of ours that was encrypted for `devices`; answers its content with its place in the chain. */
  async write(to: AccountAddress, devices: readonly DeviceId[], asks: (keyof typeof ASKS)[] = []): Promise<string> {
    const id = `m${this.#sent++}`;
    const requests = asks.reduce((sum, ask) => sum + ASKS[ask], 0);
    const text = { type: 'text/plain', body: new Uint8Array(1), sentAt: this.now, id, requests };
    const plaintext = this.written.compose(to, encodeContent(text), devices, []);
    const publish = await this.ledger.commit((transaction) =>
      this.written.sealed(transaction, to, plaintext, devices, devices),
    );
    publish();
    return id;
  }

  /** A message of `device` in the conversation with `conversation` (default: its account) is taken. */
  async take(device: DeviceId, message: Partial<IncomingMessage>, content?: Content) {
    const from = accountOf(device);
    const head = { kind: 'message', id: 'x', from, device, conversation: from === ALICE ? BOB : from } as const;
    const rest = { type: 'text/plain', body: new Uint8Array(0), sentAt: 7, acceptedAt: 8, trust: 'untrusted' } as const;
    const taken = await this.ledger.commit((transaction) =>
      this.incoming.take(transaction, { ...head, ...rest, ...message }, content),
    );
    taken.publish();
    return taken;
  }

  /** A notice of RFC 5438 is taken. */
  notice(device: DeviceId, notice: Partial<ImdnNotice> & { messageId: string }, conversation?: AccountAddress) {
    const whole = { kind: 'display', status: 'displayed', sentAt: 0, ...notice } as ImdnNotice;
    const body = writeNotice(whole);
    return this.take(device, { type: 'message/imdn+xml', body, ...(conversation && { conversation }) });
  }

  /** A message of a chain arrives: its place there. */
  async hear(device: DeviceId, number: number): Promise<void> {
    const content = { type: 'text/plain', body: new Uint8Array(1), sentAt: 1, id: `h${number}` };
    const link = { number, newcomers: [] };
    const name = { sender: device, recipientUser: ALICE };
    await this.ledger.commit((transaction) => this.heard.follow(transaction, name, { ...content, link }, false));
    this.heard.owe(name);
  }
}
