/**
 * The mailboxes of commits: each is opened once and stays open for the next ones. They are ahead of
 * the disk by the commit that is on its way; when that fails they are put together anew.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Db } from '../environment.ts';
import type { CommitLog } from '../log/commit-log.ts';
import type { MailboxChange } from '../log/log-record.ts';
import { openMailbox } from './mailbox.ts';
import { OpenMailbox } from './open-mailbox.ts';

export interface NamedChange {
  readonly device: DeviceId;
  readonly change: MailboxChange;
}

/** Some 2 KiB each at most. */
const MOST_OPEN = 4_096;

export class OpenMailboxes {
  readonly #db: Db;
  readonly #log: CommitLog;
  readonly #open = new Map<DeviceId, OpenMailbox>();
  /** Of mailboxes that this commit opened. */
  #resumed: NamedChange[] = [];

  constructor(db: Db, log: CommitLog) {
    this.#db = db;
    this.#log = log;
  }

  /** Undefined when there is no such device. */
  get(device: DeviceId): OpenMailbox | undefined {
    let mailbox = this.#open.get(device);
    if (mailbox) return mailbox;
    mailbox = openMailbox(OpenMailbox, this.#db, this.#log, device);
    if (!mailbox) return undefined;
    this.#open.set(device, mailbox);
    const change = mailbox.resume(this.#log.highestSeq, this.#log.lsn);
    if (change) this.#resumed.push({ device, change });
    return mailbox;
  }

  /** What the commit must say of mailboxes whose heads were damaged. */
  takeResumed(): NamedChange[] {
    return this.#resumed.splice(0);
  }

  /** A checkpoint of this one is durable. */
  settle(device: DeviceId): void {
    this.#open.get(device)?.settle();
  }

  /**
   * The log has not any more what commits up to this one said: who does not know that it is in
   * segments is put together anew.
   */
  dropped(device: DeviceId, lsn: number): void {
    if (this.#open.get(device)?.needs(lsn)) this.#open.delete(device);
  }

  /** These devices are gone. */
  readonly forget = (devices: readonly DeviceId[]): void => {
    for (const device of devices) this.#open.delete(device);
  };

  /** What they say is not on the disk. */
  clear(): void {
    this.#resumed = [];
    this.#open.clear();
  }

  /** Between two commits: the longest open ones go; which ones is of no account. */
  trim(): void {
    let surplus = this.#open.size - MOST_OPEN;
    for (const [device, mailbox] of this.#open) {
      if (surplus-- <= 0) return;
      if (!mailbox.isSettling) this.#open.delete(device);
    }
  }
}
