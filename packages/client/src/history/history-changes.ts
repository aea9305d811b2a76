/**
 * Does what was noted in `later/NUMBER` (docs/spec/history.md section 1), in its order: receipts, what the user was shown, edits, deletions,
 * reactions. A note goes in the write that does it.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { decodeRecord } from '../storage/record.ts';
import { type Catalogue, readTalk, writeTalk } from './catalogue.ts';
import { authorsOf, changed, type HistoryChange } from './history-change.ts';
import type { Entry, Place } from './history-message.ts';
import type { HistoryReader } from './history-reader.ts';
import type { HistoryWriter } from './history-writer.ts';

export interface HistoryChangesOptions {
  readonly ledger: Ledger;
  readonly catalogue: Catalogue;
  readonly reader: HistoryReader;
  readonly writer: HistoryWriter;
  readonly own: AccountAddress;
  readonly others: (conversation: AccountAddress) => readonly AccountAddress[];
}

interface Noted {
  readonly key: string;
  readonly change: HistoryChange;
}

/** In one write. */
const AT_ONCE = 64;

export class HistoryChanges {
  readonly #options: HistoryChangesOptions;

  constructor(options: HistoryChangesOptions) {
    this.#options = options;
  }

  /** Does all that has been noted so far. */
  async run(): Promise<void> {
    const { ledger } = this.#options;
    let noted = ledger.keys('later/').map((key): Noted => {
      return { key, change: decodeRecord<HistoryChange>(ledger.get(key)!).header };
    });
    while (noted.length > 0) {
      const { conversation, kind } = noted[0]!.change;
      const end = noted.findIndex(({ change }) => change.kind === 'shown' || change.conversation !== conversation);
      const count = kind === 'shown' ? 1 : Math.min(AT_ONCE, end < 0 ? noted.length : end);
      const some = noted.slice(0, count);
      noted = noted.slice(count);
      if (kind === 'shown') await this.#shown(some[0]!);
      else await this.#change(conversation, some);
    }
  }

  async #change(conversation: AccountAddress, noted: readonly Noted[]): Promise<void> {
    const { catalogue, writer, own } = this.#options;
    const changes = new Map<number, HistoryChange[]>();
    const places = new Map<number, Place>();
    for (const { change } of noted) {
      const authors = authorsOf(change, own, this.#options.others(conversation));
      const ids = change.kind === 'state' ? change.ids : change.kind === 'shown' ? [] : [change.id];
      for (const id of ids) {
        const named = authors.map((from) => ({ from, id }));
        const place = (await catalogue.placesOf(conversation, named)).find((each) => each !== undefined);
        if (!place) continue;
        places.set(place[1], place);
        changes.set(place[1], [...(changes.get(place[1]) ?? []), change]);
      }
    }
    const change = (entry: Entry) => (changes.get(entry.place[1]) ?? []).reduce(changed, entry);
    const also = (transaction: Transaction) => {
      for (const { key } of noted) transaction.delete(key);
    };
    await writer.write(conversation, { alter: { places: [...places.values()], change }, also });
  }

  /** The user was shown a message, and with it all that stands above it: what ends some time after that, ends then. */
  async #shown({ key, change }: Noted): Promise<void> {
    const { ledger, reader, writer, own } = this.#options;
    if (change.kind !== 'shown') return;
    const { conversation, device, id, upTo, at } = change;
    const authors = authorsOf(change, own, this.#options.others(conversation));
    const isIt = ({ message }: Entry) =>
      id === undefined
        ? message.device === device && message.number === upTo
        : message.id === id && authors.includes(message.from);
    const before = readTalk(ledger, conversation);
    let shown: Place | undefined;
    let unread = 0;
    const ending: Place[] = [];
    for await (const entry of reader.behind(conversation, before.shown)) {
      const { place, message } = entry;
      if (!shown && isIt(entry)) shown = place;
      if (!shown) unread += writer.isUnread(entry, before.shown) ? 1 : 0;
      else if (message.from !== own && message.lifetime !== undefined && message.expiresAt === undefined)
        ending.push(place);
    }
    const end = (entry: Entry): Entry => {
      const expiresAt = at + (entry.message.lifetime ?? 0) * 1_000;
      return { ...entry, message: { ...entry.message, expiresAt } };
    };
    await writer.write(conversation, {
      alter: { places: ending, change: end },
      also: (transaction) => {
        transaction.delete(key);
        if (!shown) return;
        const talk = readTalk(transaction, conversation);
        // Those that came meanwhile were counted, and not seen here.
        writeTalk(transaction, conversation, { ...talk, shown, unread: unread + talk.unread - before.unread });
      },
    });
  }
}
