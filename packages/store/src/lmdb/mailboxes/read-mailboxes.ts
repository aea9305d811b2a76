/**
 * Mailboxes as reads see them: what is committed, by whomever. The last ones are kept, because a mailbox is read page by page, and one that
 * has thousands of messages in the journal should not be put together for each page.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Environment } from '../environment.ts';
import type { Flight, Journal } from '../log/commit-log.ts';
import { prefixedKey } from '../records/keys.ts';
import { Mailbox } from './mailbox.ts';

const MOST_KEPT = 64;

export class ReadMailboxes {
  readonly #environment: Environment;
  readonly #journal: Journal;
  readonly #learned: (flight: Flight) => void;
  /** With the head that it was opened from: as long as that is the head, only what the journal added since is missing. */
  readonly #kept = new Map<DeviceId, { readonly head: Buffer; readonly mailbox: Mailbox }>();

  /** `learned` gets what others have put into the journal. */
  constructor(environment: Environment, journal: Journal, learned: (flight: Flight) => void) {
    this.#environment = environment;
    this.#journal = journal;
    this.#learned = learned;
  }

  /** Undefined when there is no such device. What it answers holds until the end of the turn. */
  get(device: DeviceId): Mailbox | undefined {
    const { databases } = this.#environment;
    this.learn();
    const head = databases.mailboxes.getBinary(prefixedKey(device));
    const kept = this.#kept.get(device);
    if (head && kept?.head.equals(head)) {
      kept.mailbox.repeat(this.#journal.entriesOf(device));
      return kept.mailbox;
    }
    this.#kept.delete(device);
    const mailbox = head && Mailbox.open(databases.mailboxes, this.#journal, device);
    if (mailbox) this.#keep(device, { head, mailbox });
    return mailbox;
  }

  /** The newest snapshot of LMDB, and all that the journal says beyond it. */
  learn(): void {
    do {
      this.#environment.renew();
      this.#journal.learn(this.#learned);
      this.#environment.renew();
    } while (this.#journal.isOutrun());
  }

  #keep(device: DeviceId, one: { readonly head: Buffer; readonly mailbox: Mailbox }): void {
    // The longest kept one goes first; which one is of no account.
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(device, one);
  }
}
