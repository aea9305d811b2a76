/** A device of bob's and what comes to it for groups, without the encryption around it; and people who act in groups. For tests. */
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { Log } from '@sealwire/membership/log';
import { createGroup, makeEvent } from '@sealwire/membership/making';
import { stateOf } from '@sealwire/membership/state';
import { encodeContent } from '@sealwire/wire/envelope';
import {
  encodeGroupEvent,
  encodeGroupEvents,
  groupEventSigningInput,
  type SignedGroupEvent,
} from '@sealwire/wire/group-event';
import { encodeGroupNews, GROUP_TYPE } from '@sealwire/wire/group-news';
import { type AccountAddress, accountOf, type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { encodeManifest, noPreviousManifest } from '@sealwire/wire/manifest';
import type { PeerBook } from '../accounts/peer-book.ts';
import { writePeer } from '../accounts/peer-record.ts';
import type { SelfRecord } from '../accounts/self-record.ts';
import type { GroupAct } from '../groups/group.ts';
import { GroupLinks } from '../groups/group-links.ts';
import { GroupMail } from '../groups/group-mail.ts';
import { GroupStore } from '../groups/group-store.ts';
import { HeldMessages } from '../groups/held-messages.ts';
import { IncomingGroups, type Passed } from '../groups/incoming-groups.ts';
import { type Opened, openedOf } from '../messages/opening.ts';
import { Outbox } from '../messages/outbox.ts';
import { Ledger } from '../storage/ledger.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { BOB, deviceOf } from './chain-world.ts';

const crypto = nodeCrypto();
const NO_BYTES = new Uint8Array(0);
const AT = 1_000;

/** The key of an account, from its address. */
export function seedOf(account: AccountAddress): Uint8Array {
  return seededRandom(account)(32);
}

/** A group as its members would make it, each with all events before. */
export class Course {
  log: Log;

  constructor(by: AccountAddress) {
    this.log = createGroup(crypto, signer(by), 'trio', seededRandom('group')).log;
  }

  act(by: AccountAddress, action: GroupAct): SignedGroupEvent {
    const { log, signed } = makeEvent(this.log, signer(by), action);
    this.log = log;
    return signed;
  }

  /** An event in the right form that nobody has looked at; `seed`: what it is signed with. The log stays as it is. */
  forge(by: AccountAddress, action: GroupAct, seed = seedOf(by)): SignedGroupEvent {
    const { log } = this;
    const before = log.events.filter(({ event }) => event.actor === by).at(-1);
    const parents = log.heads.filter((head) => head !== before?.hash);
    const number = (before?.event.number ?? 0) + 1;
    const previous = before?.hash ?? NO_BYTES;
    const event = encodeGroupEvent({ group: log.group, actor: by, number, previous, parents, at: AT, action });
    return { event, signature: crypto.ed25519.sign(seed, groupEventSigningInput(event)) };
  }

  bring(by: AccountAddress, ...members: AccountAddress[]): void {
    const invited = members.map((address) => ({ address, key: crypto.ed25519.publicKey(seedOf(address)) }));
    this.act(by, { kind: 'invite', members: invited });
    for (const member of members) {
      const { invitation } = stateOf(this.log).invited.find(({ address }) => address === member)!;
      this.act(member, { kind: 'join', invitation });
    }
  }
}

export class GroupWorld {
  now = AT;
  storage = new MemoryStorage();
  ledger!: Ledger;
  store!: GroupStore;
  outbox!: Outbox;
  incoming!: IncomingGroups;
  #received = 0;

  /** `devices`: of others, whose lists bob's device has verified. */
  static async open(...devices: DeviceId[]): Promise<GroupWorld> {
    const world = new GroupWorld();
    await world.reopen();
    for (const device of [deviceOf('bob', 1), ...devices]) await world.knows(device);
    return world;
  }

  /** As after the death of the process. */
  async reopen(): Promise<void> {
    this.storage = this.storage.copy();
    const ledger = await Ledger.open(this.storage);
    this.ledger = ledger;
    const now = () => this.now;
    const random = seededRandom('bob');
    const self = { address: BOB, accountSeed: seedOf(BOB) } as SelfRecord;
    this.store = new GroupStore({ ledger, crypto, random, now, self, met: () => undefined });
    this.outbox = new Outbox(ledger);
    const mail = new GroupMail({ outbox: this.outbox, random, now, wake: () => {} });
    const { store } = this;
    const links = new GroupLinks({ store, mail, ledger, book: {} as PeerBook, crypto, now, self });
    this.incoming = new IncomingGroups({ store, held: new HeldMessages(ledger), mail, links, crypto, own: BOB, now });
  }

  /** The account of `device`, and of `more`, under its own key or `key`; a phone has no login key. */
  async knows(
    device: DeviceId,
    key = crypto.ed25519.publicKey(seedOf(accountOf(device))),
    ...more: DeviceId[]
  ): Promise<void> {
    const address = accountOf(device);
    const identityKey = crypto.ed25519.publicKey(new Uint8Array(32));
    const identities = [{ suite: 'c25519', identityKey }] as const;
    const devices = [device, ...more].toSorted().map((id) => {
      return { id, identities, loginKey: id.endsWith(':phone') ? NO_BYTES : identityKey, addedAt: 1 };
    });
    const manifest = { address, version: 1, previous: noPreviousManifest(), issuedAt: 1, devices };
    const record = { address, accountKey: key, manifest, bytes: encodeManifest(manifest), checkedAt: 1 };
    await this.ledger.commit((transaction) => writePeer(transaction, { ...record, trust: new Map() }));
  }

  /** A text in the group `to`; `heads`: the events that it names, undefined: it is of a client that knows none. */
  post(
    from: DeviceId,
    to: AccountAddress,
    text: string,
    heads?: readonly Uint8Array[],
    events: readonly SignedGroupEvent[] = [],
  ) {
    const group = heads && encodeGroupNews({ group: NO_BYTES, heads, events: encodeGroupEvents(events), asks: false });
    const body = new TextEncoder().encode(text);
    return this.#take(
      from,
      to,
      encodeContent({ type: 'text/plain', body, sentAt: AT, id: text, ...(group && { group }) }),
    );
  }

  /** News for bob alone, of the group whose log is `course`'s. */
  tell(from: DeviceId, course: Course, events = course.log.since([]), asks = false) {
    const news = { group: course.log.group, heads: course.log.heads, events: encodeGroupEvents(events), asks };
    return this.#take(from, BOB, encodeContent({ type: GROUP_TYPE, body: encodeGroupNews(news), sentAt: AT }));
  }

  /** Body and conversation of what waits in the outbox. */
  sent(): AccountAddress[] {
    return this.outbox.addressees();
  }

  async #take(sender: DeviceId, recipientUser: AccountAddress, plaintext: Uint8Array) {
    const relayId = `r${this.#received++}`;
    const passed = await this.ledger.commit((transaction): Passed => {
      const raw = { sender, recipientUser, relayId, engine: 'lime', acceptedAt: AT, plaintext };
      return this.incoming.pass(transaction, openedOf(transaction, BOB, raw) as Opened);
    });
    passed.publish();
    const texts = passed.take.map(({ message }) => message.text ?? new TextDecoder().decode(message.body));
    return { events: passed.events, shown: texts.filter((text) => text !== '' && !text.includes('\n')) };
  }
}

function signer(account: AccountAddress) {
  return { account, seed: seedOf(account), at: AT };
}

export const MALLORYS = deviceOf('mallory', 1);
export const CAROLS_PHONE = parseDeviceId('sip:carol@example.org;gr=urn:uuid:phone');
