/** The mailboxes that the running transaction touches, each opened once and written once, at its end. */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Db } from './environment.ts';
import { Mailbox } from './mailbox.ts';
import type { Participant } from './writer.ts';

export class Mailbag implements Participant {
  readonly #db: Db;
  readonly #open = new Map<DeviceId, Mailbox>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** Inside a write transaction only. Undefined when there is no such device. */
  get(device: DeviceId): Mailbox | undefined {
    const known = this.#open.get(device);
    if (known) return known;
    const mailbox = Mailbox.open(this.#db, device);
    if (mailbox) this.#open.set(device, mailbox);
    return mailbox;
  }

  /** The device goes, and with it what was to be written. */
  drop(device: DeviceId): void {
    this.#open.delete(device);
  }

  write(): void {
    for (const mailbox of this.#open.values()) mailbox.write();
  }

  done(): void {
    this.#open.clear();
  }
}
