/**
 * Changes what is kept: packs single messages into pages, puts imported ones between others, changes and takes away. One durable write each;
 * one at a time, which the caller sees to.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { encodeRecord } from '../storage/record.ts';
import {
  type Catalogue,
  compare,
  deletePage,
  intoPages,
  type Page,
  placeKey,
  readTalk,
  recentKey,
  writePage,
  writeTalk,
} from './catalogue.ts';
import { decodeEntries, type Entry, encodeEntries, isBefore, type Place } from './history-message.ts';

/** `undefined` takes the message away. */
export type Alteration = (entry: Entry) => Entry | undefined;

export interface Work {
  /** Messages that lie alone, to be packed: their numbers. */
  readonly pack?: ReadonlySet<number>;
  /** That are not there yet. */
  readonly insert?: readonly Entry[];
  /** By place. A message that is not there is passed over. */
  readonly alter?: { readonly places: readonly Place[]; readonly change: Alteration };
  /** In the same write. */
  readonly also?: (transaction: Transaction) => void;
}

interface PageWork {
  readonly page: Page | undefined;
  readonly inserted: Entry[];
  readonly altered: Set<number>;
}

export class HistoryWriter {
  readonly #ledger: Ledger;
  readonly #catalogue: Catalogue;
  readonly #own: AccountAddress;
  readonly #number: (transaction: Transaction) => number;

  /** `number`: one that nothing has had. */
  constructor(ledger: Ledger, catalogue: Catalogue, own: AccountAddress, number: (transaction: Transaction) => number) {
    this.#ledger = ledger;
    this.#catalogue = catalogue;
    this.#own = own;
    this.#number = number;
  }

  /** Others than the author's own messages count until the user was shown them. */
  isUnread({ place, message, imported }: Entry, shown: Place): boolean {
    return message.from !== this.#own && !imported && isBefore(shown, place);
  }

  /** Durable when it resolves. */
  async write(conversation: AccountAddress, { pack, insert = [], alter, also = () => {} }: Work): Promise<void> {
    const ledger = this.#ledger;
    const change = alter?.change ?? ((entry: Entry) => entry);
    const isAlone = (place: Place) => ledger.get(recentKey(conversation, place[1])) !== undefined;
    const altered = alter?.places ?? [];
    const alone = altered.filter((place) => isAlone(place) && !pack?.has(place[1]));
    const packed = this.#catalogue.recentEntries(conversation).filter(({ place }) => pack?.has(place[1]));
    const pages = await this.#load(
      conversation,
      [...packed, ...insert],
      altered.filter((place) => !isAlone(place)),
    );

    const published: (() => void)[] = [];
    let isErased = false;
    await ledger.commit((transaction) => {
      const gone: Entry[] = [];
      const touch = (entry: Entry): Entry[] => {
        const now = change(entry);
        if (!now) gone.push(entry);
        isErased ||= now?.message.body !== entry.message.body;
        return now ? [now] : [];
      };
      for (const place of alone) {
        const key = recentKey(conversation, place[1]);
        // An addition may have come meanwhile; nothing but this writer changes or takes away.
        const [now] = decodeEntries(transaction.get(key)!, conversation).flatMap(touch);
        if (now) {
          const record = encodeEntries([now]);
          transaction.set(key, record);
          published.push(() => this.#catalogue.addRecent(conversation, now, record.length));
        } else {
          transaction.delete(key);
          published.push(() => this.#catalogue.dropRecents(conversation, new Set([key])));
        }
      }
      const written: Page[] = [];
      for (const { page, entries, numbers } of pages) {
        const left = entries.flatMap((entry) => (numbers.has(entry.place[1]) ? touch(entry) : [entry]));
        const pieces = intoPages(left);
        if (page && pieces.length === 0) deletePage(transaction, conversation, page.number);
        for (const [index, piece] of pieces.entries()) {
          const number = index === 0 && page ? page.number : this.#number(transaction);
          written.push(writePage(transaction, conversation, number, piece));
        }
      }
      for (const { place } of packed) transaction.delete(recentKey(conversation, place[1]));
      for (const { place, message } of insert)
        transaction.set(placeKey(conversation, message.from, message.id), encodeRecord({ place }));
      this.#forget(transaction, conversation, gone, insert);
      also(transaction);
      published.push(() => {
        const replaced = new Set(pages.flatMap(({ page }) => page?.number ?? []));
        this.#catalogue.replacePages(conversation, replaced, written);
        this.#catalogue.dropRecents(
          conversation,
          new Set(packed.map(({ place }) => recentKey(conversation, place[1]))),
        );
      });
    });
    for (const publish of published) publish();
    if (isErased) ledger.erase();
  }

  /** The pages that these go to or lie in, with all their messages in order; `numbers`: those that may be altered. */
  async #load(conversation: AccountAddress, inserted: readonly Entry[], places: readonly Place[]) {
    const works = new Map<number, PageWork>();
    const workOf = (place: Place): PageWork => {
      const page = this.#catalogue.pageAt(conversation, place);
      const known = works.get(page?.number ?? -1);
      if (known) return known;
      const work: PageWork = { page, inserted: [], altered: new Set() };
      works.set(page?.number ?? -1, work);
      return work;
    };
    for (const entry of inserted) workOf(entry.place).inserted.push(entry);
    for (const place of places) workOf(place).altered.add(place[1]);
    const list = [...works.values()];
    const stored = await this.#catalogue.pageEntries(
      conversation,
      list.flatMap(({ page }) => page ?? []),
    );
    let read = 0;
    return list.map(({ page, inserted: added, altered: numbers }) => {
      const there = page ? stored[read++]! : [];
      return { page, numbers, entries: [...there, ...added].sort((a, b) => compare(a.place, b.place)) };
    });
  }

  /** What is gone is not found any more, nor unread; a conversation without messages is none. */
  #forget(
    transaction: Transaction,
    conversation: AccountAddress,
    gone: readonly Entry[],
    inserted: readonly Entry[],
  ): void {
    const talk = readTalk(transaction, conversation);
    const unread = gone.filter((entry) => this.isUnread(entry, talk.shown)).length;
    for (const { message } of gone) transaction.delete(placeKey(conversation, message.from, message.id));
    const newest = inserted.reduce((latest, { place }) => Math.max(latest, place[0]), talk.newest);
    const known = transaction.get(`talk/${conversation}`) !== undefined;
    if (known || inserted.length > 0)
      writeTalk(transaction, conversation, { ...talk, newest, unread: talk.unread - unread });
  }
}
