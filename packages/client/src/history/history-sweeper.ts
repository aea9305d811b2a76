/**
 * Takes away what ends: messages whose time is over, and what the settings do not keep (docs/spec/history.md section 4). By the device's
 * clock; a clock that was put back to before a message's time began lets that time begin again, and no more.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Ledger } from '../storage/ledger.ts';
import { beganAt, type Catalogue, type Ends, type Page, readTalk } from './catalogue.ts';
import type { Entry, Place } from './history-message.ts';
import { readSettings } from './history-settings.ts';
import type { HistoryWriter } from './history-writer.ts';

const DAY_MS = 86_400_000;
/** Clocks are corrected by that much without having been wrong. */
const CLOCK_PLAY_MS = 60_000;
const PAGES_AT_ONCE = 16;

/** What of a page, or of a message alone, is to be looked at. */
interface Found {
  readonly page: Page | undefined;
  readonly place: Place;
  readonly ends: Ends | undefined;
}

export class HistorySweeper {
  readonly #ledger: Ledger;
  readonly #catalogue: Catalogue;
  readonly #writer: HistoryWriter;
  readonly #now: () => number;

  constructor(ledger: Ledger, catalogue: Catalogue, writer: HistoryWriter, now: () => number) {
    this.#ledger = ledger;
    this.#catalogue = catalogue;
    this.#writer = writer;
    this.#now = now;
  }

  /** ms: when there is something to sweep; undefined: not by itself. */
  nextAt(): number | undefined {
    const { days } = readSettings(this.#ledger);
    const oldest = days === undefined ? [] : this.#all().map(({ place }) => place[0] + days * DAY_MS);
    const ends = this.#catalogue.nextEnd();
    const times = ends === undefined ? oldest : [...oldest, ends];
    return times.length === 0 ? undefined : times.reduce((first, time) => Math.min(first, time));
  }

  async run(): Promise<void> {
    const { days = Number.POSITIVE_INFINITY, messages } = readSettings(this.#ledger);
    if (messages === undefined && this.nextAt() === undefined) return;
    const now = this.#now();
    const oldest = now - days * DAY_MS;
    const change = (entry: Entry): Entry | undefined => {
      const { place, message } = entry;
      const began = beganAt(message);
      if (place[0] < oldest) return undefined;
      if (began === undefined) return entry;
      if (began > now + CLOCK_PLAY_MS) {
        const expiresAt = now + (message.lifetime ?? 0) * 1_000;
        return { ...entry, message: { ...message, expiresAt } };
      }
      return message.expiresAt! <= now ? undefined : entry;
    };
    const isDue = ({ place, ends }: Found) =>
      place[0] < oldest || (ends !== undefined && (ends.next <= now || ends.began > now + CLOCK_PLAY_MS));
    for (const conversation of this.#catalogue.conversations()) {
      await this.#alter(conversation, this.#found(conversation).filter(isDue), change);
      if (messages !== undefined) await this.#shorten(conversation, messages);
    }
  }

  /** Everything of a conversation. */
  async clear(conversation: AccountAddress): Promise<void> {
    await this.#alter(conversation, this.#found(conversation), () => undefined);
    await this.#writer.write(conversation, {
      also: (transaction) => {
        // What came meanwhile is a new beginning.
        if (readTalk(transaction, conversation).unread === 0) transaction.delete(`talk/${conversation}`);
      },
    });
  }

  /** The oldest ones go, while there are more than `most`. */
  async #shorten(conversation: AccountAddress, most: number): Promise<void> {
    let excess = this.#catalogue.count(conversation) - most;
    if (excess <= 0) return;
    for (const found of this.#found(conversation)) {
      if (excess <= 0) return;
      const gone = Math.min(excess, found.page?.count ?? 1);
      let left = gone;
      await this.#alter(conversation, [found], (entry) => (left-- > 0 ? undefined : entry));
      excess -= gone;
    }
  }

  async #alter(
    conversation: AccountAddress,
    found: readonly Found[],
    change: (entry: Entry) => Entry | undefined,
  ): Promise<void> {
    for (let at = 0; at < found.length; at += PAGES_AT_ONCE) {
      const some = found.slice(at, at + PAGES_AT_ONCE);
      const pages = some.flatMap(({ page }) => page ?? []);
      const alone = some.filter(({ page }) => !page).map(({ place }) => place);
      const packed = (await this.#catalogue.pageEntries(conversation, pages)).flat().map(({ place }) => place);
      await this.#writer.write(conversation, { alter: { places: [...packed, ...alone], change } });
    }
  }

  /** The oldest first. */
  #found(conversation: AccountAddress): Found[] {
    const pages = this.#catalogue.pages(conversation).map((page) => ({ page, place: page.first, ends: page.ends }));
    const recents = this.#catalogue.recents(conversation);
    return [...pages, ...recents.map(({ place, ends }) => ({ page: undefined, place, ends }))];
  }

  #all(): Found[] {
    return this.#catalogue.conversations().flatMap((conversation) => this.#found(conversation)[0] ?? []);
  }
}
