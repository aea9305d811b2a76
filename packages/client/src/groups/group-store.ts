/**
 * The logs of the groups that this device knows (docs/spec/groups.md section 6). Table `group`, key `group/ADDRESS`: the log, and when it came
 * here. What a log says is worked out once for each state of it.
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { MembershipError } from '@sealwire/membership/errors';
import { Log } from '@sealwire/membership/log';
import { createGroup, joinByLink, type Made, makeEvent, makeLink, type Signer } from '@sealwire/membership/making';
import { stateOf } from '@sealwire/membership/state';
import { decodeGroupEvents, type SignedGroupEvent } from '@sealwire/wire/group-event';
import type { GroupLink } from '@sealwire/wire/group-link';
import type { AccountAddress } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { administratorSeed } from '../accounts/administrator.ts';
import type { SelfRecord } from '../accounts/self-record.ts';
import { ClientError } from '../errors.ts';
import type { DurableEvent } from '../messages/inbox.ts';
import type { Ledger, Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';
import type { Group, GroupAct } from './group.ts';
import { eventsOf } from './group-changes.ts';

const TABLE = 'group';
/** That this account is not in; beyond it the oldest go. */
export const UNJOINED_GROUPS = 64;

/** When a link ends, ms since 1970, and how many accounts may join by it; absent: no end. */
export interface LinkBounds {
  readonly expiresAt?: number;
  readonly uses?: number;
}

export interface GroupStoreOptions {
  readonly ledger: Ledger;
  readonly crypto: CryptoProvider;
  readonly random: RandomBytes;
  readonly now: () => number;
  readonly self: SelfRecord;
  /** In the transaction in which `accounts` come into a group of ours, or we to them: they may write. */
  readonly met: (transaction: Transaction, accounts: readonly AccountAddress[]) => void;
}

/** What came of events that somebody sent. */
export interface Learnt {
  /** Undefined: nothing here is a group's. */
  readonly group: Group | undefined;
  readonly events: readonly DurableEvent[];
  /** Codes of the events that do not count. */
  readonly refused: readonly string[];
  /** Whether the log has more than before. */
  readonly grown: boolean;
}

/** Whether the log of a group is here. */
export function hasGroup(records: Records, address: AccountAddress): boolean {
  return records.get(keyOf(address)) !== undefined;
}

export class GroupStore {
  readonly #options: GroupStoreOptions;
  /** By the stored record itself. */
  readonly #read = new WeakMap<Uint8Array, Group>();

  constructor(options: GroupStoreOptions) {
    this.#options = options;
  }

  all(): Group[] {
    const { ledger } = this.#options;
    return ledger
      .keys(`${TABLE}/`)
      .flatMap((key) => this.read(ledger, key.slice(TABLE.length + 1) as AccountAddress) ?? []);
  }

  /** The other members; nobody where we are none. */
  othersIn(address: AccountAddress): AccountAddress[] {
    const { ledger, self } = this.#options;
    const members = this.read(ledger, address)?.members;
    return members?.has(self.address) ? [...members.keys()].filter((member) => member !== self.address) : [];
  }

  /** Who else is in the groups that we are in, or invited there. */
  companions(): AccountAddress[] {
    const own = this.#options.self.address;
    const accounts = this.all().flatMap((group) => (group.members.has(own) ? peopleIn(group) : []));
    return [...new Set(accounts)].filter((account) => account !== own);
  }

  read(records: Records, address: AccountAddress): Group | undefined {
    const record = records.get(keyOf(address));
    if (!record) return undefined;
    const known = this.#read.get(record);
    if (known) return known;
    const { blob } = decodeRecord(record);
    return this.#keep(record, Log.decode(this.#options.crypto, blob));
  }

  /** Throws `no-such-group`. */
  get(address: AccountAddress): Group {
    const group = this.read(this.#options.ledger, address);
    if (!group) throw noSuchGroup('there is no such group here: who is in it has to invite this account');
    return group;
  }

  /** By address, or by the subject of the only group that has it. Throws `no-such-group`. */
  named(name: string): Group {
    const named = this.all().filter(({ address, state }) => address === name || state.subject === name);
    const here = named.length > 1 ? named.filter((group) => this.#isIn(group)) : named;
    if (here.length === 1) return here[0]!;
    throw noSuchGroup(
      here.length > 1
        ? `several groups have the name ${name}: give the address`
        : `there is no group ${name} here: look at the list of groups`,
    );
  }

  /** A new group. Throws `not-administrator` on a device without the account key. */
  create(transaction: Transaction, subject: string): Group {
    const { crypto, random } = this.#options;
    const signer = this.#signer();
    return this.#write(transaction, made(() => createGroup(crypto, signer, subject, random)).log);
  }

  /** The group after an event of ours. Throws `not-administrator` as `create`, `no-such-group`, `not-a-member`, `group-refused`. */
  act(transaction: Transaction, address: AccountAddress, action: GroupAct): Group {
    const signer = this.#signer();
    const { log } = this.read(transaction, address) ?? this.get(address);
    return this.#write(transaction, made(() => makeEvent(log, signer, action)).log);
  }

  /** A link by which accounts join; ends at `expiresAt` (ms) if that is given. Throws as `act`. */
  makeLink(transaction: Transaction, address: AccountAddress, bounds: LinkBounds): { group: Group; link: GroupLink } {
    const signer = this.#signer();
    const { log } = this.read(transaction, address) ?? this.get(address);
    const { link, log: after } = made(() => makeLink(log, signer, bounds, this.#options.random));
    return { group: this.#write(transaction, after), link };
  }

  /** The group with this account in it. Throws `group-refused` for a link that has ended. */
  joinByLink(transaction: Transaction, address: AccountAddress, link: GroupLink): Group {
    const signer = this.#signer();
    const { log } = this.read(transaction, address) ?? this.get(address);
    return this.#write(transaction, made(() => joinByLink(log, signer, link)).log);
  }

  /** Events that somebody sent: `GroupEvents`, encoded. What they change for this account is among the events of the answer. */
  learn(transaction: Transaction, address: AccountAddress, encoded: Uint8Array): Learnt {
    const before = this.read(transaction, address);
    try {
      const signed = decodeGroupEvents(encoded);
      return before ? this.#add(transaction, before, signed) : this.#meet(transaction, address, signed);
    } catch (error) {
      if (!(error instanceof WireError || error instanceof MembershipError)) throw error;
      return { group: before, events: [], refused: [error.code], grown: false };
    }
  }

  /** Throws `not-administrator`. */
  #signer(): Signer {
    const { self, now } = this.#options;
    return { account: self.address, seed: administratorSeed(self), at: now() };
  }

  #add(transaction: Transaction, before: Group, signed: readonly SignedGroupEvent[]): Learnt {
    const { log, accepted, refused, forks } = before.log.add(signed);
    const group =
      accepted.length > 0 ? this.#write(transaction, log) : this.#keep(transaction.get(keyOf(before.address))!, log);
    const own = this.#options.self.address;
    return {
      group,
      events: eventsOf({ before, group, accepted, forks, own }),
      refused: refused.map(({ code }) => code),
      grown: accepted.length > 0,
    };
  }

  /** The first events of a group that was not known here. */
  #meet(transaction: Transaction, address: AccountAddress, signed: readonly SignedGroupEvent[]): Learnt {
    const { crypto, self } = this.#options;
    const [created, ...others] = signed;
    if (!created) return { group: undefined, events: [], refused: [], grown: false };
    const first = Log.of(crypto, created);
    if (first.address !== address) return { group: undefined, events: [], refused: ['wrong-group'], grown: false };
    const { log, accepted, refused, forks } = first.add(others);
    const group = this.#write(transaction, log);
    this.#forgetOldest(transaction);
    const events = eventsOf({ before: undefined, group, accepted, forks, own: self.address });
    return { group, events, refused: refused.map(({ code }) => code), grown: true };
  }

  #forgetOldest(transaction: Transaction): void {
    const unjoined = transaction
      .keys(`${TABLE}/`)
      .map((key) => ({ key, group: this.read(transaction, key.slice(TABLE.length + 1) as AccountAddress)! }))
      .filter(({ group }) => !group.members.has(this.#options.self.address))
      .map(({ key }) => ({ key, since: decodeRecord<{ since: number }>(transaction.get(key)!).header.since }))
      .sort((a, b) => b.since - a.since);
    for (const { key } of unjoined.slice(UNJOINED_GROUPS)) transaction.delete(key);
  }

  #write(transaction: Transaction, log: Log): Group {
    const key = keyOf(log.address);
    const stored = transaction.get(key);
    const since = stored ? decodeRecord<{ since: number }>(stored).header.since : this.#options.now();
    const record = encodeRecord({ since }, log.encode());
    const before = this.read(transaction, log.address);
    transaction.set(key, record);
    const group = this.#keep(record, log);
    this.#letMembersWrite(transaction, before, group);
    return group;
  }

  /** Whoever is in with us, or may come in: that it joins is to be heard of from itself. */
  #letMembersWrite(transaction: Transaction, before: Group | undefined, group: Group): void {
    const own = this.#options.self.address;
    if (!group.members.has(own)) return;
    const known = new Set(before?.members.has(own) ? [own, ...peopleIn(before)] : [own]);
    this.#options.met(
      transaction,
      peopleIn(group).filter((account) => !known.has(account)),
    );
  }

  #keep(record: Uint8Array, log: Log): Group {
    const state = stateOf(log);
    const members = new Map(state.members.map((member) => [member.address, member]));
    const invited = new Map(state.invited.map((invitation) => [invitation.address, invitation]));
    const group = { address: log.address, log, state, members, invited };
    this.#read.set(record, group);
    return group;
  }

  #isIn({ members, invited }: Group): boolean {
    const own = this.#options.self.address;
    return members.has(own) || invited.has(own);
  }
}

const keyOf = (address: AccountAddress) => `${TABLE}/${address}`;

/** Throws `not-a-member`, `group-refused`. */
function made<M extends Made>(make: () => M): M {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof MembershipError || error instanceof WireError)) throw error;
    const code = error.code === 'not-a-member' ? 'not-a-member' : 'group-refused';
    throw new ClientError(code, `the group does not allow it (${error.code}): ${error.message}`, { cause: error });
  }
}

function noSuchGroup(text: string): ClientError {
  return new ClientError('no-such-group', text);
}

const peopleIn = ({ members, invited }: Group) => [...members.keys(), ...invited.keys()];
