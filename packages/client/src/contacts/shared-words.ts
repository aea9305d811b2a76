/**
 * Words of the user on accounts that all their devices have, beside the entries of the sealed contact list (docs/spec/contacts.md section 3):
 * of each account the later one counts. A table for each kind of word, `TABLE/ADDRESS`.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

export interface Word {
  readonly address: AccountAddress;
  /** ms since 1970, of the last change; grows with each. */
  readonly at: number;
}

export interface WordKind<W extends Word, Stored extends object> {
  readonly table: string;
  /** What the list has room for. */
  readonly most: number;
  /** Of two words at the same time the greater text counts. */
  readonly rankOf: (word: W) => string;
  /** It says that there is nothing: of too many these go first. */
  readonly isOver: (word: W) => boolean;
  readonly toStored: (word: W) => Stored;
  readonly fromStored: (stored: Stored) => W;
}

/** What goes into the list, and what is left out of it. */
export interface FittingWords<W> {
  readonly sent: W[];
  readonly dropped: readonly W[];
}

type Kept<Stored> = Stored & {
  /** Not at the server yet. */
  readonly isNew?: true;
};

export class SharedWords<W extends Word, Stored extends object> {
  constructor(private readonly kind: WordKind<W, Stored>) {}

  read(records: Records, address: AccountAddress): W | undefined {
    return this.#kept(records, address)?.word;
  }

  all(records: Records): W[] {
    return this.#all(records).map(({ word }) => word);
  }

  /** Whether the list has no room for one on another account that says something. */
  isFull(records: Records, address: AccountAddress): boolean {
    const { isOver, most } = this.kind;
    return this.all(records).filter((word) => word.address !== address && !isOver(word)).length >= most;
  }

  hasNews(records: Records): boolean {
    return this.#all(records).some(({ isNew }) => isNew);
  }

  /** The user says something on this device. */
  say(transaction: Transaction, word: Omit<W, 'at'> & Pick<W, 'address'>, now: number): void {
    // Later than any word on it that this device knows, whatever its clock says.
    const at = Math.max(now, (this.read(transaction, word.address)?.at ?? 0) + 1);
    this.#write(transaction, { ...word, at } as W, true);
  }

  /**
   * What the server's list says becomes ours, but where our own word is later. `isBack`: it is one that the server should not show, and
   * gets all again that we know. Answers what is news here.
   */
  take(transaction: Transaction, theirs: readonly W[], isBack: boolean): readonly W[] {
    const offered = new Map(theirs.map((word) => [word.address, word]));
    for (const { word, isNew } of this.#all(transaction)) {
      const other = offered.get(word.address);
      if (other && !this.#isLater(word, other)) continue;
      if (other || isNew || isBack) this.#write(transaction, word, true);
      else this.#delete(transaction, word);
    }
    const news: W[] = [];
    for (const word of offered.values()) {
      const ours = this.read(transaction, word.address);
      if (ours && this.#isLater(ours, word)) continue;
      if (!ours || !this.#isSame(ours, word)) news.push(word);
      this.#write(transaction, word, false);
    }
    return news;
  }

  /** Of too many those that say nothing any more go, the oldest first, then the oldest of all. */
  fitting(records: Records): FittingWords<W> {
    const { isOver, most } = this.kind;
    const byWorth = this.all(records).sort((a, b) => Number(isOver(a)) - Number(isOver(b)) || b.at - a.at);
    return { sent: byWorth.slice(0, most), dropped: byWorth.slice(most) };
  }

  /** The server has them, or they were left out; not those that were changed meanwhile. */
  written(transaction: Transaction, { sent, dropped }: FittingWords<W>): void {
    const isStill = (word: W) => {
      const now = this.read(transaction, word.address);
      return now !== undefined && this.#isSame(now, word);
    };
    for (const word of sent) if (isStill(word)) this.#write(transaction, word, false);
    for (const word of dropped) if (isStill(word)) this.#delete(transaction, word);
  }

  #all(records: Records) {
    const prefix = `${this.kind.table}/`;
    return records.keys(prefix).map((key) => this.#kept(records, key.slice(prefix.length) as AccountAddress)!);
  }

  #kept(records: Records, address: AccountAddress): { readonly word: W; readonly isNew: boolean } | undefined {
    const stored = records.get(this.#keyOf(address));
    if (!stored) return undefined;
    const { header } = decodeRecord<Kept<Stored>>(stored);
    return { word: this.kind.fromStored(header), isNew: header.isNew === true };
  }

  #write(transaction: Transaction, word: W, isNew: boolean): void {
    const kept = { ...this.kind.toStored(word), ...(isNew && { isNew: true }) };
    transaction.set(this.#keyOf(word.address), encodeRecord(kept));
  }

  #delete(transaction: Transaction, { address }: W): void {
    transaction.delete(this.#keyOf(address));
  }

  #keyOf(address: AccountAddress): string {
    return `${this.kind.table}/${address}`;
  }

  #isSame(a: W, b: W): boolean {
    return a.at === b.at && this.kind.rankOf(a) === this.kind.rankOf(b);
  }

  #isLater(a: W, b: W): boolean {
    return a.at === b.at ? this.kind.rankOf(a) > this.kind.rankOf(b) : a.at > b.at;
  }
}
