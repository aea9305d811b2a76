/**
 * The mailboxes of transactions: each is opened once, settled at most once a transaction, and stays open for the next ones as long as nobody
 * else commits.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Db } from './environment.ts';
import type { Journal } from './journal.ts';
import { Mailbox } from './mailbox.ts';
import type { Participant } from './writer.ts';

/** Some 2 KiB each at most. */
const MOST_OPEN = 4_096;

export class Mailbag implements Participant {
  readonly #db: Db;
  readonly #journal: Journal;
  readonly #open = new Map<DeviceId, Mailbox>();
  /** Handed out in this transaction. */
  readonly #touched = new Set<Mailbox>();

  constructor(db: Db, journal: Journal) {
    this.#db = db;
    this.#journal = journal;
  }

  begin(isAlone: boolean): void {
    if (isAlone) return;
    this.#open.clear();
    this.#journal.learn();
  }

  /** Inside a write transaction only. Undefined when there is no such device. */
  get(device: DeviceId): Mailbox | undefined {
    const known = this.#open.get(device) ?? Mailbox.open(this.#db, this.#journal, device);
    if (!known || this.#touched.has(known)) return known;
    this.#open.set(device, known);
    this.#touched.add(known);
    return known;
  }

  /** The device goes, and with it what was to be written. */
  drop(device: DeviceId): void {
    const known = this.#open.get(device);
    if (!known) return;
    this.#open.delete(device);
    this.#touched.delete(known);
  }

  write(): boolean {
    const overdue = this.#journal.overdue();
    for (const { number, devices } of overdue)
      for (const device of devices) {
        const mailbox = this.get(device);
        if (mailbox && mailbox.head.journaled < number) mailbox.settle();
      }
    const { newest } = this.#journal;
    let wrote = false;
    for (const mailbox of this.#touched) wrote = mailbox.write(newest) || wrote;
    return this.#journal.write(overdue) || wrote;
  }

  done(committed: boolean): void {
    this.#journal.done(committed);
    this.#touched.clear();
    if (!committed) this.#open.clear();
    // The longest open ones go first; which ones is of no account.
    for (const device of this.#open.keys()) {
      if (this.#open.size <= MOST_OPEN) break;
      this.#open.delete(device);
    }
  }
}
