/**
 * What comes in for groups (docs/spec/groups.md section 6): events of their logs, and messages, each of which counts only if its author is
 * a member by the events that it names, and still is one. What names events that are not here waits for them, and its author is asked.
 */
import type { CryptoProvider } from '@sealwire/crypto/port';
import { stateOf } from '@sealwire/membership/state';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { isGroupAddress } from '@sealwire/wire/group-address';
import { groupAddressOf } from '@sealwire/wire/group-event';
import { decodeGroupNews, GROUP_TYPE, type GroupNews } from '@sealwire/wire/group-news';
import type { AccountAddress } from '@sealwire/wire/ids';
import { WireError } from '@sealwire/wire/wire-error';
import { readPeer } from '../accounts/peer-record.ts';
import { ClientError } from '../errors.ts';
import type { GroupRefusedEvent } from '../events.ts';
import type { ChainName } from '../messages/chain/incoming-chains.ts';
import { GROUP_ANSWERS, GROUP_QUESTIONS, mayHappen, spend } from '../messages/healing/allowances.ts';
import type { DurableEvent } from '../messages/inbox.ts';
import { type Opened, openedOf } from '../messages/opening.ts';
import { isForeign } from '../messages/receipts/incoming-receipts.ts';
import type { Transaction } from '../storage/ledger.ts';
import type { Group } from './group.ts';
import type { GroupLinks } from './group-links.ts';
import type { GroupMail } from './group-mail.ts';
import { type GroupStore, hasGroup } from './group-store.ts';
import type { HeldMessages } from './held-messages.ts';

export interface IncomingGroupsOptions {
  readonly store: GroupStore;
  readonly held: HeldMessages;
  readonly mail: GroupMail;
  readonly links: GroupLinks;
  readonly crypto: CryptoProvider;
  readonly own: AccountAddress;
  readonly now: () => number;
}

/** What is to be done with a message: `take` has it, and what waited for its news; `publish` is to be called once that is durable. */
export interface Passed {
  readonly events: readonly DurableEvent[];
  readonly take: readonly Opened[];
  /** Chains with a message that was told of and is not taken. */
  readonly uncounted: readonly ChainName[];
  publish(): void;
}

const NO_BYTES = new Uint8Array(0);

type Verdict = 'take' | 'wait' | { readonly code: string };

export class IncomingGroups {
  readonly #options: IncomingGroupsOptions;

  constructor(options: IncomingGroupsOptions) {
    this.#options = options;
  }

  /** In the transaction that takes the message. */
  pass(transaction: Transaction, opened: Opened): Passed {
    const { message } = opened;
    const inGroup = isGroupAddress(message.conversation);
    if (!inGroup && message.type !== GROUP_TYPE)
      return { events: [], take: [opened], uncounted: [], publish: () => {} };
    const work = new Work(this.#options, transaction, opened);
    return inGroup ? work.ofGroup() : work.ofPair();
  }
}

/** One message. */
class Work {
  readonly #options: IncomingGroupsOptions;
  readonly #transaction: Transaction;
  readonly #opened: Opened;
  readonly #events: DurableEvent[] = [];
  readonly #publish: (() => void)[] = [];
  readonly #uncounted: ChainName[] = [];
  /** Whether the group's log has more than before. */
  #hasGrown = false;

  constructor(options: IncomingGroupsOptions, transaction: Transaction, opened: Opened) {
    this.#options = options;
    this.#transaction = transaction;
    this.#opened = opened;
  }

  ofGroup(): Passed {
    const { message } = this.#opened;
    const news = newsOf(this.#opened);
    if (news === 'bad') return this.#refused(message.conversation, 'bad-news');
    const group = this.#learn(message.conversation, news);
    const released = this.#release(message.conversation);
    const verdict = this.#judge(group, this.#opened, news);
    if (verdict === 'wait') this.#wait(message.conversation, news);
    else if (verdict !== 'take') this.#refuse(message.conversation, this.#opened, verdict.code);
    return this.#passed([...released, ...(verdict === 'take' ? [this.#opened] : [])]);
  }

  /** News that went to this account alone: an invitation, an answer, a question. It belongs to the chain of the pair. */
  ofPair(): Passed {
    const news = newsOf(this.#opened);
    if (news === undefined || news === 'bad' || news.group.length === 0) return this.#passed([this.#opened]);
    const address = groupAddressOf(news.group);
    const group = this.#learn(address, news);
    if (!group) this.#refuse(address, this.#opened, 'unknown-group');
    else if (news.asks) this.#answer(group, news);
    else if (!hasAll(group, news.heads)) this.#ask(address);
    else this.#join(group);
    return this.#passed([...this.#release(address), this.#opened]);
  }

  /** The group after the events of `news`; what they change, and what is wrong with them, is told. */
  #learn(address: AccountAddress, news: GroupNews | undefined): Group | undefined {
    const { store } = this.#options;
    const { from, device } = this.#opened.message;
    if (!news || news.events.length === 0) return store.read(this.#transaction, address);
    const { group, events, refused, grown } = store.learn(this.#transaction, address, news.events);
    this.#hasGrown = grown;
    this.#events.push(...events);
    for (const code of new Set(refused))
      this.#events.push({ kind: 'group-refused', group: address, from, device, code, part: 'event' });
    return group;
  }

  #judge(group: Group | undefined, { message }: Opened, news: GroupNews | undefined): Verdict {
    const { own } = this.#options;
    const { from, device, type } = message;
    const isNews = type === GROUP_TYPE;
    if (!group) return 'wait';
    const { members } = group;
    if (news && !hasAll(group, news.heads)) {
      if (!isNews) return 'wait';
      this.#ask(group.address);
    }
    // Who leaves says so after it has left.
    if (isNews)
      return from === own || group.log.events.some(({ event }) => event.actor === from)
        ? 'take'
        : { code: 'not-a-member' };
    if (!news && !isForeign(this.#transaction, device)) return { code: 'no-heads' };
    // Every member has the newest heads as a rule: then there is one state.
    const then = news && !isNewest(group, news.heads) ? membersAt(group, news.heads) : members;
    if (!then.has(from)) return { code: 'not-a-member' };
    if (!members.has(from)) return { code: 'former-member' };
    if (!then.has(own) && !members.has(own)) return { code: 'not-joined' };
    const peer = readPeer(this.#transaction, from);
    const key = members.get(from)!.key;
    if (key && peer && !this.#options.crypto.equal(key, peer.accountKey)) return { code: 'account-key-differs' };
    return 'take';
  }

  /** Those that waited for what is here now. */
  #release(address: AccountAddress): Opened[] {
    const { held, store, own } = this.#options;
    const group = store.read(this.#transaction, address);
    if (!group || !this.#hasGrown) return [];
    const released: Opened[] = [];
    for (const decrypted of held.take(this.#transaction, address)) {
      const opened = openedOf(this.#transaction, own, decrypted);
      if ('refused' in opened) continue;
      const news = newsOf(opened);
      const verdict = news === 'bad' ? { code: 'bad-news' } : this.#judge(group, opened, news);
      if (verdict === 'wait') held.add(this.#transaction, address, decrypted);
      else if (verdict === 'take') released.push(opened);
      else this.#refuse(address, opened, verdict.code);
    }
    return released;
  }

  #wait(address: AccountAddress, news: GroupNews | undefined): void {
    const { held, own } = this.#options;
    for (const given of held.add(this.#transaction, address, this.#opened.decrypted)) {
      const opened = openedOf(this.#transaction, own, given);
      if (!('refused' in opened)) this.#refuse(opened.message.conversation, opened, 'unknown-events');
    }
    if (news) this.#ask(address);
  }

  /** Its author for what is not here. */
  #ask(address: AccountAddress): void {
    const { store, mail, now } = this.#options;
    const { from, device } = this.#opened.message;
    if (!mayHappen(this.#transaction, GROUP_QUESTIONS, device, now())) return;
    spend(this.#transaction, GROUP_QUESTIONS, device, now());
    const heads = store.read(this.#transaction, address)?.log.heads ?? [];
    this.#publish.push(mail.news(this.#transaction, from, address, { heads, events: NO_BYTES, asks: true }));
  }

  /** A member, or who is invited, gets what it lacks; nobody else learns of anything. */
  #answer(group: Group, news: GroupNews): void {
    const { mail, links, now } = this.#options;
    const { from, device } = this.#opened.message;
    const { members, invited } = group;
    const isLetIn = members.has(from) || invited.has(from) || links.letsIn(group, from, news, this.#transaction);
    if (!isLetIn) {
      this.#refuse(group.address, this.#opened, 'not-a-member');
      return;
    }
    if (!mayHappen(this.#transaction, GROUP_ANSWERS, device, now())) return;
    spend(this.#transaction, GROUP_ANSWERS, device, now());
    this.#publish.push(mail.log(this.#transaction, from, group, group.log.since(news.heads)));
  }

  /** By the link that this account has asked with. */
  #join(group: Group): void {
    const { links, own, now } = this.#options;
    try {
      const publish = links.join(this.#transaction, group);
      if (!publish) return;
      this.#publish.push(publish);
      const change = { kind: 'joined-by-link' } as const;
      this.#events.push({ kind: 'group-changed', group: group.address, by: own, change, at: now() });
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.#refuse(group.address, this.#opened, 'link-refused');
    }
  }

  #refuse(group: AccountAddress, { message, chain }: Opened, code: string): void {
    // Made-up groups must not fill the storage.
    if (hasGroup(this.#transaction, chain.recipientUser)) this.#uncounted.push(chain);
    const { id, from, device } = message;
    const event: GroupRefusedEvent = { kind: 'group-refused', group, from, device, code, part: 'message', id };
    this.#events.push(event);
  }

  #refused(group: AccountAddress, code: string): Passed {
    this.#refuse(group, this.#opened, code);
    return this.#passed([]);
  }

  #passed(take: readonly Opened[]): Passed {
    const publish = () => {
      for (const each of this.#publish) each();
    };
    return { events: this.#events, take, uncounted: this.#uncounted, publish };
  }
}

function hasAll({ log }: Group, heads: readonly Uint8Array[]): boolean {
  return heads.every((head) => log.has(head));
}

function isNewest({ log }: Group, heads: readonly Uint8Array[]): boolean {
  const newest = log.heads.map(encodeBase64url);
  return heads.length === newest.length && heads.every((head) => newest.includes(encodeBase64url(head)));
}

function membersAt({ log }: Group, heads: readonly Uint8Array[]): ReadonlySet<AccountAddress> {
  return new Set(stateOf(log, heads).members.map(({ address }) => address));
}

/** Undefined: it says nothing of a group, as what a LIME device of somebody else writes. */
function newsOf({ message, content }: Opened): GroupNews | 'bad' | undefined {
  const bytes = message.type === GROUP_TYPE ? message.body : content?.group;
  if (!bytes) return undefined;
  try {
    return decodeGroupNews(bytes);
  } catch (error) {
    if (error instanceof WireError) return 'bad';
    throw error;
  }
}
