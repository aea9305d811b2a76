/**
 * Sends news of groups (docs/spec/groups.md section 6): to a group's conversation, or to one account. They go through the outbox like what
 * the user writes, and become durable in the transaction that makes them necessary.
 */
import type { RandomBytes } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { encodeContent } from '@sealwire/wire/envelope';
import { encodeGroupEvents, groupIdOf, type SignedGroupEvent } from '@sealwire/wire/group-event';
import { encodeGroupNews, GROUP_TYPE } from '@sealwire/wire/group-news';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { Outbox } from '../messages/outbox.ts';
import type { Transaction } from '../storage/ledger.ts';
import type { Group } from './group.ts';

/** Of events in one message: it fits a frame beside the parts of all devices of an account. */
const EVENTS_BYTES = 48 * 1_024;
const NO_BYTES = new Uint8Array(0);

export interface GroupMailOptions {
  readonly outbox: Pick<Outbox, 'queue'>;
  readonly random: RandomBytes;
  readonly now: () => number;
  /** There is something to send. */
  readonly wake: () => void;
}

export class GroupMail {
  readonly #options: GroupMailOptions;

  constructor(options: GroupMailOptions) {
    this.#options = options;
  }

  /** To all members, as they are after `events`, and to our own other devices. Call the answer once that is durable. */
  toGroup(transaction: Transaction, { address, log }: Group, events: readonly SignedGroupEvent[]): () => void {
    const encoded = encodeGroupEvents(events);
    return this.#queue(transaction, address, { group: NO_BYTES, heads: log.heads, events: encoded, asks: false });
  }

  /** Of the group `address`, to the account `to` alone. */
  news(
    transaction: Transaction,
    to: AccountAddress,
    address: AccountAddress,
    news: Omit<Parameters<typeof encodeGroupNews>[0], 'group'>,
  ): () => void {
    return this.#queue(transaction, to, { group: groupIdOf(address)!, ...news });
  }

  /** `events`, parents first, to the account `to` alone, in as many messages as it takes. */
  log(transaction: Transaction, to: AccountAddress, group: Group, events: readonly SignedGroupEvent[]): () => void {
    const published = pages(events).map((page) => {
      const news = { heads: group.log.heads, events: encodeGroupEvents(page), asks: false };
      return this.news(transaction, to, group.address, news);
    });
    return () => {
      for (const publish of published) publish();
    };
  }

  #queue(transaction: Transaction, to: AccountAddress, news: Parameters<typeof encodeGroupNews>[0]): () => void {
    const { outbox, random, now, wake } = this.#options;
    const id = encodeBase64url(random(LIMITS.messageIdBytes.value));
    const content = { type: GROUP_TYPE, body: encodeGroupNews(news), sentAt: now(), id };
    const publish = outbox.queue(transaction, id, to, encodeContent(content));
    return () => {
      publish();
      wake();
    };
  }
}

/** Never none. */
function pages(events: readonly SignedGroupEvent[]): SignedGroupEvent[][] {
  const pages: SignedGroupEvent[][] = [[]];
  let bytes = 0;
  for (const event of events) {
    const page = pages.at(-1)!;
    const size = event.event.length + event.signature.length;
    if (page.length > 0 && bytes + size > EVENTS_BYTES) {
      pages.push([event]);
      bytes = size;
    } else {
      page.push(event);
      bytes += size;
    }
  }
  return pages;
}
