/**
 * The mailboxes of transactions: each is opened once, settled at most once a transaction, and stays open for the next ones as long as nobody
 * else commits. What a transaction did to them is one flight of the journal if it can be, else it is settled in LMDB.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Db } from '../environment.ts';
import { type AcceptedLog, recordsOfParts } from '../ids/accepted-ids.ts';
import type { Journal } from '../log/commit-log.ts';
import type { Participant } from '../writer.ts';
import { Mailbox } from './mailbox.ts';

/** Some 2 KiB each at most. */
const MOST_OPEN = 4_096;

export class Mailbag implements Participant {
  readonly #db: Db;
  readonly #journal: Journal;
  readonly #log: AcceptedLog;
  readonly #open = new Map<DeviceId, Mailbox>();
  /** Handed out in this transaction: those that say so themselves. */
  #touched: Mailbox[] = [];
  #settlesAll = false;
  /** The number of the next transaction, if it is ours. */
  #next = 0;

  constructor(db: Db, journal: Journal, log: AcceptedLog) {
    this.#db = db;
    this.#journal = journal;
    this.#log = log;
  }

  begin(isAlone: boolean): void {
    this.#log.begin();
    this.#journal.learn(this.#log.indexFlight);
    const { number } = this.#journal;
    // A read may have learned already what others put into the journal.
    if (isAlone && number === this.#next) return;
    this.#open.clear();
    // Until it has learned.
    this.#next = 0;
    this.#log.learn();
    this.#next = number;
  }

  /** Inside a write transaction only. Undefined when there is no such device. */
  get(device: DeviceId): Mailbox | undefined {
    let mailbox = this.#open.get(device);
    if (!mailbox) {
      mailbox = Mailbox.open(this.#db, this.#journal, device);
      if (!mailbox) return undefined;
      this.#open.set(device, mailbox);
    }
    if (!mailbox.isTouched) {
      mailbox.isTouched = true;
      this.#touched.push(mailbox);
    }
    return mailbox;
  }

  /** The device goes, and with it what was to be written. */
  drop(device: DeviceId): void {
    const known = this.#open.get(device);
    if (!known) return;
    this.#open.delete(device);
    this.#touched = this.#touched.filter((mailbox) => mailbox !== known);
  }

  /** With this transaction of LMDB all is settled that the journal has. */
  settleAll(): void {
    this.#settlesAll = true;
  }

  get isOverdue(): boolean {
    return this.#journal.isOverdue;
  }

  fly(): boolean {
    for (const mailbox of this.#touched) if (mailbox.isUnsettled) return false;
    return this.#journal.fly(() => this.#log.records());
  }

  sync(): Promise<void> {
    return this.#journal.sync();
  }

  write(): boolean {
    const journal = this.#journal;
    const overdue = journal.overdue(this.#settlesAll);
    for (const { number, parts, devices, records } of overdue) {
      for (const device of devices) {
        const mailbox = this.get(device);
        if (mailbox && mailbox.head.journaled < number) mailbox.settle(number);
      }
      this.#log.write(number, records ?? recordsOfParts(parts));
    }
    for (const device of journal.devices) this.get(device)?.settle(journal.number);
    this.#log.write(journal.number, this.#log.records());
    let wrote = overdue.length > 0 || journal.parts.length > 0;
    for (const mailbox of this.#touched) wrote = mailbox.write(journal.number) || wrote;
    if (wrote) journal.write(overdue);
    return wrote;
  }

  done(committed: boolean): void {
    const taken = this.#journal.done(committed);
    if (taken !== undefined) {
      this.#next = taken + 1;
      this.#log.knows(taken);
    }
    if (!committed) this.#open.clear();
    for (const mailbox of this.#touched) mailbox.isTouched = false;
    this.#touched = [];
    this.#settlesAll = false;
    // The longest open ones go first; which ones is of no account.
    for (const device of this.#open.keys()) {
      if (this.#open.size <= MOST_OPEN) break;
      this.#open.delete(device);
    }
  }
}
