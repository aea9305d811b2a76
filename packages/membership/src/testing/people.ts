/** People for tests: accounts whose keys follow from their names, and a group among them. */
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { GroupAction, SignedGroupEvent } from '@sealwire/wire/group-event';
import { type AccountAddress, parseAccountAddress } from '@sealwire/wire/ids';
import type { Log } from '../log.ts';
import { createGroup, makeEvent, type Signer } from '../making.ts';
import { stateOf } from '../state.ts';

export const crypto = nodeCrypto();

export interface Person extends Signer {
  readonly key: Uint8Array;
}

export const AT = 1_700_000_000_000;

export function person(name: string): Person {
  const seed = seededRandom(name)(32);
  return { account: parseAccountAddress(`sip:${name}@example.org`), seed, key: crypto.ed25519.publicKey(seed), at: AT };
}

type Act = Exclude<GroupAction, { kind: 'create' }>;

/** What people do, in a log each. Every act answers the event, to be given to others. */
export class Group {
  log: Log;

  private constructor(log: Log) {
    this.log = log;
  }

  static by(creator: Person, subject = 'trio'): Group {
    return new Group(createGroup(crypto, creator, subject, seededRandom(subject)).log);
  }

  /** The same log for somebody else, or for another course of things. */
  fork(): Group {
    return new Group(this.log);
  }

  act(actor: Person, action: Act): SignedGroupEvent {
    const { log, signed } = makeEvent(this.log, actor, action);
    this.log = log;
    return signed;
  }

  invite(actor: Person, ...members: Person[]): SignedGroupEvent {
    const invited = members.map(({ account, key }) => ({ address: account, key }));
    return this.act(actor, { kind: 'invite', members: invited });
  }

  join(actor: Person): SignedGroupEvent {
    const open = stateOf(this.log).invited.find(({ address }) => address === actor.account);
    return this.act(actor, { kind: 'join', invitation: open!.invitation });
  }

  /** Invited by the first, joined, and promoted if so said. */
  bring(actor: Person, member: Person, role: 'member' | 'administrator' = 'member'): SignedGroupEvent[] {
    const events = [this.invite(actor, member), this.join(member)];
    if (role === 'administrator') events.push(this.promote(actor, member));
    return events;
  }

  remove(actor: Person, { account }: Person): SignedGroupEvent {
    return this.act(actor, { kind: 'remove', member: account });
  }

  promote(actor: Person, { account }: Person): SignedGroupEvent {
    return this.act(actor, { kind: 'promote', member: account });
  }

  demote(actor: Person, { account }: Person): SignedGroupEvent {
    return this.act(actor, { kind: 'demote', member: account });
  }

  leave(actor: Person): SignedGroupEvent {
    return this.act(actor, { kind: 'leave', invitation: new Uint8Array(0) });
  }

  rename(actor: Person, subject: string): SignedGroupEvent {
    return this.act(actor, { kind: 'rename', subject });
  }

  /** Takes what others did, all of which must be good. */
  learn(...events: SignedGroupEvent[]): this {
    const { log, refused } = this.log.add(events);
    if (refused[0]) throw new Error(refused[0].code);
    this.log = log;
    return this;
  }

  /** Names of members, administrators in capitals, in their order. */
  get members(): string {
    return namesIn(this.log);
  }
}

export function namesIn(log: Log): string {
  return stateOf(log)
    .members.map(({ address, role }) => (role === 'administrator' ? nameOf(address).toUpperCase() : nameOf(address)))
    .join(' ');
}

function nameOf(address: AccountAddress): string {
  return address.slice(4, address.indexOf('@'));
}
