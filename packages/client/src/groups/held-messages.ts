/**
 * Messages of groups that name events which are not here yet (docs/spec/groups.md section 6): decrypted, and kept until the events have come.
 * Table `held`, key `held/GROUP NUMBER`.
 */
import { type AccountAddress, accountOf } from '@sealwire/wire/ids';
import type { Decrypted } from '../messages/opening.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { orderedKey } from '../storage/ordered-key.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

const TABLE = 'held';
/** Of all groups, known and made up: beyond it the oldest of whoever has most there are given up. */
export const HELD_MESSAGES = 256;
export const HELD_BYTES = 1_024 * 1_024;

export class HeldMessages {
  #next: number;

  constructor(ledger: Ledger) {
    this.#next = Math.max(0, ...ledger.keys(`${TABLE}/`).map((key) => numberIn(key) + 1));
  }

  /** Answers those that went for it. */
  add(transaction: Transaction, group: AccountAddress, decrypted: Decrypted): Decrypted[] {
    const { plaintext, ...header } = decrypted;
    transaction.set(orderedKey(`${TABLE}/${group} `, this.#next++), encodeRecord(header, plaintext));
    const given: Decrypted[] = [];
    for (let key = tooMany(transaction); key !== undefined; key = tooMany(transaction)) {
      given.push(read(transaction, key));
      transaction.delete(key);
    }
    return given;
  }

  /** All of `group` in order; they are not held any more. */
  take(transaction: Transaction, group: AccountAddress): Decrypted[] {
    return transaction.keys(`${TABLE}/${group} `).map((key) => {
      const decrypted = read(transaction, key);
      transaction.delete(key);
      return decrypted;
    });
  }
}

/** The key of the message that has to go. */
function tooMany(transaction: Transaction): string | undefined {
  const keys = transaction.keys(`${TABLE}/`);
  const bytes = keys.reduce((sum, key) => sum + transaction.get(key)!.length, 0);
  if (keys.length <= HELD_MESSAGES && bytes <= HELD_BYTES) return undefined;
  const byAuthor = new Map<AccountAddress, string[]>();
  for (const key of keys) {
    const author = accountOf(decodeRecord<Pick<Decrypted, 'sender'>>(transaction.get(key)!).header.sender);
    byAuthor.set(author, [...(byAuthor.get(author) ?? []), key]);
  }
  const [largest] = [...byAuthor.values()].sort((one, other) => other.length - one.length);
  return oldestOf(largest!);
}

function oldestOf(keys: readonly string[]): string {
  return keys.reduce((oldest, key) => (numberIn(key) < numberIn(oldest) ? key : oldest));
}

function read(transaction: Transaction, key: string): Decrypted {
  const { header, blob } = decodeRecord<Omit<Decrypted, 'plaintext'>>(transaction.get(key)!);
  return { ...header, plaintext: blob };
}

const numberIn = (key: string) => Number(key.slice(key.lastIndexOf('/') + 1));
