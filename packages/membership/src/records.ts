/** The accepted events of a log, and the lists by which the rules find them. Grows only; a copy shares the events, not the lists. */

import type { GroupAction, GroupEvent, SignedGroupEvent } from '@sealwire/wire/group-event';
import { type AccountAddress, canonicalDomainOf, nameOf } from '@sealwire/wire/ids';
import { hasPlace, type Places } from './places.ts';

export interface LogRecord {
  /** In the order of arrival here: what an event follows has a lower one. Says nothing to others. */
  readonly place: number;
  readonly hash: Uint8Array;
  /** The hash in hex: sorts as its bytes do. */
  readonly name: string;
  readonly signed: SignedGroupEvent;
  readonly event: GroupEvent;
  /** All that it follows, over however many others. */
  readonly past: Places;
  /** Longest way to the event that created the group; 0: that event. */
  readonly depth: number;
  /** Account key of the actor. */
  readonly key: Uint8Array;
  /** Of the actor's chain up to here, in bytes. */
  readonly chainBytes: number;
  /**
   * What gives the actor the right, as that one saw it: of an administrator's act the event that made an administrator of the actor, of a
   * join the invitation or link. Undefined for `create` and `leave`.
   */
  readonly basis: LogRecord | undefined;
  /** Account key of the account that the event promotes. */
  readonly memberKey: Uint8Array | undefined;
}

/** What accounts are compared by: domains have no case. */
export type AccountName = string & { readonly account: unique symbol };

export function accountName(address: AccountAddress): AccountName {
  return `${nameOf(address)}@${canonicalDomainOf(address)}` as AccountName;
}

/** Whether `after` follows `before`, over however many others. */
export function follows(after: LogRecord, before: LogRecord): boolean {
  return hasPlace(after.past, before.place);
}

/** Of two events: what comes first in an order that no order of arrival changes, and that keeps what follows what. */
export function byDepth(a: LogRecord, b: LogRecord): number {
  return a.depth - b.depth || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

export type ActionOf<Kind extends GroupAction['kind']> = Extract<GroupAction, { kind: Kind }>;

/** The action of a record that is known to be of this kind. */
export function actionOf<Kind extends GroupAction['kind']>({ event }: LogRecord, _kind: Kind): ActionOf<Kind> {
  return event.action as ActionOf<Kind>;
}

const NONE: readonly LogRecord[] = [];

export class Records {
  private readonly all: LogRecord[] = [];
  private readonly byName = new Map<string, LogRecord>();
  /** By the account whose membership or role it is about. */
  private readonly byAccount = new Map<AccountName, LogRecord[]>();
  /** Joins and revocations, by the link's name. */
  private readonly byLink = new Map<string, LogRecord[]>();
  /** By actor, key and number: more than one is a fork. */
  private readonly byNumber = new Map<string, LogRecord[]>();
  private readonly lastNumbers = new Map<string, number>();
  private readonly newest = new Set<LogRecord>();
  private held = 0;

  get size(): number {
    return this.all.length;
  }

  /** Of events and signatures. */
  get bytes(): number {
    return this.held;
  }

  get inOrder(): readonly LogRecord[] {
    return this.all;
  }

  /** Those that no other follows. */
  get heads(): Iterable<LogRecord> {
    return this.newest;
  }

  get accounts(): Iterable<AccountName> {
    return this.byAccount.keys();
  }

  get accountsEver(): number {
    return this.byAccount.size;
  }

  named(name: string): LogRecord | undefined {
    return this.byName.get(name);
  }

  about(account: AccountName): readonly LogRecord[] {
    return this.byAccount.get(account) ?? NONE;
  }

  ofLink(name: string): readonly LogRecord[] {
    return this.byLink.get(name) ?? NONE;
  }

  numbered(account: AccountName, key: Uint8Array, number: number): readonly LogRecord[] {
    return this.byNumber.get(`${authorName(account, key)} ${number}`) ?? NONE;
  }

  /** The end of the account's chain; of a forked one the end of the longest branch. */
  lastOf(account: AccountName, key: Uint8Array): LogRecord | undefined {
    const last = this.lastNumbers.get(authorName(account, key)) ?? 0;
    return this.numbered(account, key, last).toSorted(byDepth)[0];
  }

  push(record: LogRecord, parents: readonly LogRecord[]): void {
    this.all.push(record);
    this.byName.set(record.name, record);
    this.held += record.signed.event.length + record.signed.signature.length;
    for (const parent of parents) this.newest.delete(parent);
    this.newest.add(record);
    const { actor, number } = record.event;
    const author = authorName(accountName(actor), record.key);
    append(this.byNumber, `${author} ${number}`, record);
    this.lastNumbers.set(author, Math.max(number, this.lastNumbers.get(author) ?? 0));
    for (const account of accountsOf(record.event)) append(this.byAccount, account, record);
    const { action } = record.event;
    if (action.kind === 'join-link' || action.kind === 'link-revoked') append(this.byLink, hex(action.link), record);
  }

  copy(): Records {
    const copy = new Records();
    copy.all.push(...this.all);
    for (const [name, record] of this.byName) copy.byName.set(name, record);
    for (const [name, list] of this.byAccount) copy.byAccount.set(name, [...list]);
    for (const [name, list] of this.byLink) copy.byLink.set(name, [...list]);
    for (const [name, list] of this.byNumber) copy.byNumber.set(name, [...list]);
    for (const [author, number] of this.lastNumbers) copy.lastNumbers.set(author, number);
    for (const record of this.newest) copy.newest.add(record);
    copy.held = this.held;
    return copy;
  }
}

/** Whose membership or role an event is about. */
function accountsOf({ actor, action }: GroupEvent): readonly AccountName[] {
  switch (action.kind) {
    case 'create':
    case 'join':
    case 'join-link':
    case 'leave':
      return [accountName(actor)];
    case 'invite':
      return action.members.map(({ address }) => accountName(address));
    case 'remove':
    case 'promote':
    case 'demote':
      return [accountName(action.member)];
    default:
      return [];
  }
}

/** Two keys under one address are two authors. */
function authorName(account: AccountName, key: Uint8Array): string {
  return `${account} ${hex(key)}`;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte]!;
  return text;
}

function append<Name>(lists: Map<Name, LogRecord[]>, name: Name, record: LogRecord): void {
  const list = lists.get(name);
  if (list) list.push(record);
  else lists.set(name, [record]);
}
