/**
 * Where the messages of each conversation lie (docs/spec/history.md section 2). Records of it:
 *
 *   `recent/CONVERSATION NUMBER`            a message that has not been packed yet; loaded
 *   `page/CONVERSATION NUMBER`              first and last place, count, next end of a page; loaded
 *   `talk/CONVERSATION`                     newest time, up to where the user was shown it, how many are unread; loaded
 *   `history/p CONVERSATION NUMBER`         the messages of a page; archived
 *   `history/i CONVERSATION AUTHOR ID`      the place of a message; archived
 *
 * What is loaded of 100,000 messages is some 200 KB.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Ledger, Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';
import { ARCHIVE } from '../storage/storage.ts';
import {
  decodeEntries,
  type Entry,
  encodeEntries,
  type HistoryMessage,
  isBefore,
  type Place,
} from './history-message.ts';

/** A page has no more than these, but for a single message that is longer. */
export const PAGE_MESSAGES = 64;
export const PAGE_BYTES = 32 * 1_024;

export interface Page {
  readonly number: number;
  readonly first: Place;
  readonly last: Place;
  readonly count: number;
  readonly ends?: Ends;
}

/** Of those of some messages that end. */
export interface Ends {
  /** ms: the first end. */
  readonly next: number;
  /** ms: when the newest of their times began. A clock that is before it was put back. */
  readonly began: number;
}

export interface Talk {
  /** ms: no later message is put before it. */
  readonly newest: number;
  /** Up to where the user was shown the conversation. */
  readonly shown: Place;
  readonly unread: number;
}

interface Recent {
  readonly key: string;
  readonly place: Place;
  readonly bytes: number;
  readonly ends: Ends | undefined;
}

interface Shelf {
  /** In order, and without overlap. */
  pages: Page[];
  /** In order. */
  recents: Recent[];
}

const NOWHERE: Place = [0, -1];
const NOTHING: Shelf = { pages: [], recents: [] };

export const recentKey = (conversation: AccountAddress, number: number) => `recent/${conversation} ${number}`;
const pageKey = (conversation: AccountAddress, number: number) => `page/${conversation} ${number}`;
const pageBodyKey = (conversation: AccountAddress, number: number) => `${ARCHIVE}p ${conversation} ${number}`;
/** Where the place of a message is written. */
export const placeKey = (conversation: AccountAddress, from: AccountAddress, id: string) =>
  `${ARCHIVE}i ${conversation} ${from} ${id}`;

export class Catalogue {
  readonly #ledger: Ledger;
  readonly #shelves = new Map<AccountAddress, Shelf>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    for (const key of ledger.keys('page/')) {
      const { header } = decodeRecord<Page>(ledger.get(key)!);
      this.#shelf(conversationOf(key)).pages.push(header);
    }
    for (const key of ledger.keys('recent/')) {
      const conversation = conversationOf(key);
      const record = ledger.get(key)!;
      this.addRecent(conversation, decodeEntries(record, conversation)[0]!, record.length);
    }
    for (const shelf of this.#shelves.values()) shelf.pages.sort((a, b) => compare(a.first, b.first));
  }

  get isEmpty(): boolean {
    return this.#shelves.size === 0;
  }

  conversations(): AccountAddress[] {
    return [...this.#shelves.keys()];
  }

  pages(conversation: AccountAddress): readonly Page[] {
    return (this.#shelves.get(conversation) ?? NOTHING).pages;
  }

  recents(conversation: AccountAddress): readonly Recent[] {
    return (this.#shelves.get(conversation) ?? NOTHING).recents;
  }

  count(conversation: AccountAddress): number {
    const { pages, recents } = this.#shelves.get(conversation) ?? NOTHING;
    return pages.reduce((sum, { count }) => sum + count, recents.length);
  }

  /** Every message that lies there alone, decoded. */
  recentEntries(conversation: AccountAddress): Entry[] {
    return this.recents(conversation).flatMap(({ key }) => decodeEntries(this.#ledger.get(key)!, conversation));
  }

  async pageEntries(conversation: AccountAddress, pages: readonly Page[]): Promise<Entry[][]> {
    const records = await this.#ledger.archived(pages.map(({ number }) => pageBodyKey(conversation, number)));
    return records.map((record) => (record ? decodeEntries(record, conversation) : []));
  }

  /** The places of messages by author and id; undefined where there is none. */
  async placesOf(
    conversation: AccountAddress,
    messages: readonly { readonly from: AccountAddress; readonly id: string }[],
  ): Promise<(Place | undefined)[]> {
    const keys = messages.map(({ from, id }) => placeKey(conversation, from, id));
    const records = await this.#ledger.archived(keys);
    return records.map((record) => record && decodeRecord<{ place: Place }>(record).header.place);
  }

  /** The page that a place lies in, or would; undefined where there are no pages. */
  pageAt(conversation: AccountAddress, place: Place): Page | undefined {
    const pages = this.pages(conversation);
    let [low, high] = [0, pages.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(place, pages[middle]!.first)) high = middle;
      else low = middle + 1;
    }
    return pages[Math.max(0, low - 1)];
  }

  /** To be called once the record is durable. */
  addRecent(conversation: AccountAddress, entry: Entry, bytes: number): void {
    const { place } = entry;
    const { recents } = this.#shelf(conversation);
    const recent = { key: recentKey(conversation, place[1]), place, bytes, ends: endsOf([entry]) };
    const at = recents.findIndex((other) => !isBefore(other.place, place));
    if (at < 0) recents.push(recent);
    else recents.splice(at, recents[at]!.key === recent.key ? 1 : 0, recent);
  }

  /** To be called once the pages are durable: `gone` are the numbers of those that are not there any more. */
  replacePages(conversation: AccountAddress, gone: ReadonlySet<number>, pages: readonly Page[]): void {
    const shelf = this.#shelf(conversation);
    shelf.pages = [...shelf.pages.filter(({ number }) => !gone.has(number)), ...pages];
    shelf.pages.sort((a, b) => compare(a.first, b.first));
  }

  /** To be called once that is durable. */
  dropRecents(conversation: AccountAddress, keys: ReadonlySet<string>): void {
    const shelf = this.#shelf(conversation);
    shelf.recents = shelf.recents.filter(({ key }) => !keys.has(key));
    if (shelf.recents.length === 0 && shelf.pages.length === 0) this.#shelves.delete(conversation);
  }

  /** ms: when the first message of any conversation ends. */
  nextEnd(): number | undefined {
    let next: number | undefined;
    for (const { pages, recents } of this.#shelves.values())
      for (const { ends } of [...pages, ...recents])
        if (ends && (next === undefined || ends.next < next)) next = ends.next;
    return next;
  }

  #shelf(conversation: AccountAddress): Shelf {
    const known = this.#shelves.get(conversation);
    if (known) return known;
    const shelf: Shelf = { pages: [], recents: [] };
    this.#shelves.set(conversation, shelf);
    return shelf;
  }
}

export function readTalk(records: Pick<Records, 'get'>, conversation: AccountAddress): Talk {
  const record = records.get(`talk/${conversation}`);
  return record ? decodeRecord<Talk>(record).header : { newest: 0, shown: NOWHERE, unread: 0 };
}

/** Undefined: the conversation is gone. */
export function writeTalk(transaction: Transaction, conversation: AccountAddress, talk: Talk | undefined): void {
  if (talk) transaction.set(`talk/${conversation}`, encodeRecord(talk));
  else transaction.delete(`talk/${conversation}`);
}

/** Writes a page of at least one entry, in order. */
export function writePage(
  transaction: Transaction,
  conversation: AccountAddress,
  number: number,
  entries: readonly Entry[],
): Page {
  const ends = endsOf(entries);
  const page: Page = {
    number,
    first: entries[0]!.place,
    last: entries.at(-1)!.place,
    count: entries.length,
    ...(ends && { ends }),
  };
  transaction.set(pageKey(conversation, number), encodeRecord(page));
  transaction.set(pageBodyKey(conversation, number), encodeEntries(entries));
  return page;
}

export function deletePage(transaction: Transaction, conversation: AccountAddress, number: number): void {
  transaction.delete(pageKey(conversation, number));
  transaction.delete(pageBodyKey(conversation, number));
}

/** In pieces that are pages. */
export function intoPages(entries: readonly Entry[]): Entry[][] {
  const pages: Entry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = 200 + entry.message.body.length;
    const page = pages.at(-1);
    if (page && page.length < PAGE_MESSAGES && bytes + size <= PAGE_BYTES) {
      page.push(entry);
      bytes += size;
    } else {
      pages.push([entry]);
      bytes = size;
    }
  }
  return pages;
}

function endsOf(entries: readonly Entry[]): Ends | undefined {
  let ends: Ends | undefined;
  for (const { message } of entries) {
    const began = beganAt(message);
    if (began === undefined) continue;
    const next = Math.min(ends?.next ?? Number.POSITIVE_INFINITY, message.expiresAt!);
    ends = { next, began: Math.max(ends?.began ?? 0, began) };
  }
  return ends;
}

/** ms: when the time of a message began that ends; undefined: it does not, or not yet. */
export function beganAt({ expiresAt, lifetime = 0 }: HistoryMessage): number | undefined {
  return expiresAt === undefined ? undefined : expiresAt - lifetime * 1_000;
}

export function compare(a: Place, b: Place): number {
  return a[0] - b[0] || a[1] - b[1];
}

function conversationOf(key: string): AccountAddress {
  return key.slice(key.indexOf('/') + 1, key.lastIndexOf(' ')) as AccountAddress;
}
