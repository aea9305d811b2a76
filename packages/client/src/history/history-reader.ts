/** Reads what is kept from the newest message on, a page of records at a time (docs/spec/history.md section 3). */
import type { AccountAddress } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import { type Catalogue, compare, type Page } from './catalogue.ts';
import { type Entry, type HistoryMessage, isBefore, type Place } from './history-message.ts';

export interface PageOptions {
  /** `next` of the page before. Default: the newest messages. */
  readonly before?: string;
  /** 1 to 1000. Default: 50. */
  readonly limit?: number;
}

export interface HistoryPage {
  /** The newest first. */
  readonly messages: readonly HistoryMessage[];
  /** What the page after this one is asked for with; absent: there is nothing more. It stays good whatever comes and goes. */
  readonly next?: string;
}

/** Messages that lie together. `page` undefined: those that lie alone. */
interface Stack {
  readonly conversation: AccountAddress;
  readonly page: Page | undefined;
  readonly first: Place;
  readonly last: Place;
}

const DEFAULT_LIMIT = 50;
const MOST = 1_000;

export class HistoryReader {
  readonly #catalogue: Catalogue;
  readonly #now: () => number;

  constructor(catalogue: Catalogue, now: () => number) {
    this.#catalogue = catalogue;
    this.#now = now;
  }

  /** Those of `conversations` that `matches`, over all of them in the order of their places. Throws `bad-request`. */
  async page(
    conversations: readonly AccountAddress[],
    { before, limit = DEFAULT_LIMIT }: PageOptions,
    matches: (message: HistoryMessage) => boolean = () => true,
  ): Promise<HistoryPage> {
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST)
      throw new ClientError('bad-request', `a page has 1 to ${MOST} messages, not ${limit}`);
    const end = before === undefined ? undefined : placeIn(before);
    let found: Entry[] = [];
    const stacks = this.#stacks(conversations, end);
    for (const [index, stack] of stacks.entries()) {
      const last = found[limit];
      if (last && !isBefore(last.place, stack.last)) break;
      const entries = await this.#entries(stack);
      const more = entries.filter(({ place, message }) => (!end || isBefore(place, end)) && matches(message));
      if (more.length > 0) found = [...found, ...more].sort((a, b) => compare(b.place, a.place)).slice(0, limit + 1);
      // A search walks over everything: others want their turn.
      if (index % 64 === 63) await Promise.resolve();
    }
    const messages = found.slice(0, limit).map(({ message }) => message);
    return { messages, ...(found.length > limit && { next: found[limit - 1]!.place.join('.') }) };
  }

  /** All of one conversation behind `place`, the newest first. */
  async *behind(conversation: AccountAddress, place: Place): AsyncGenerator<Entry, void, undefined> {
    for (const stack of this.#stacks([conversation], undefined)) {
      if (!isBefore(place, stack.last)) return;
      for (const entry of (await this.#entries(stack)).reverse()) if (isBefore(place, entry.place)) yield entry;
    }
  }

  /** The next ones of a conversation behind `place`, the oldest first; none: that was all. */
  async following(conversation: AccountAddress, place: Place): Promise<Entry[]> {
    for (const stack of this.#stacks([conversation], undefined).reverse()) {
      if (!isBefore(place, stack.last)) continue;
      const entries = (await this.#entries(stack)).filter((entry) => isBefore(place, entry.place));
      if (entries.length > 0) return entries;
    }
    return [];
  }

  /** By their last places, the newest first. */
  #stacks(conversations: readonly AccountAddress[], end: Place | undefined): Stack[] {
    const stacks = conversations.flatMap((conversation): Stack[] => {
      const pages = this.#catalogue.pages(conversation).map((page): Stack => {
        return { conversation, page, first: page.first, last: page.last };
      });
      const recents = this.#catalogue.recents(conversation);
      if (recents.length === 0) return pages;
      return [...pages, { conversation, page: undefined, first: recents[0]!.place, last: recents.at(-1)!.place }];
    });
    return stacks.filter(({ first }) => !end || isBefore(first, end)).sort((a, b) => compare(b.last, a.last));
  }

  /** In order, without what has ended. */
  async #entries({ conversation, page }: Stack): Promise<Entry[]> {
    const [entries = []] = page
      ? await this.#catalogue.pageEntries(conversation, [page])
      : [this.#catalogue.recentEntries(conversation)];
    const now = this.#now();
    return entries.filter(({ message: { expiresAt } }) => expiresAt === undefined || expiresAt > now);
  }
}

function placeIn(cursor: string): Place {
  const [, at, number] = /^(\d{1,16})\.(\d{1,16})$/.exec(cursor) ?? [];
  if (at === undefined)
    throw new ClientError('bad-request', 'that is no cursor of a page: take `next` of an earlier one');
  return [Number(at), Number(number)];
}
