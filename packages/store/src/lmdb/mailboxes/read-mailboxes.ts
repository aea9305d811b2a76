/**
 * Mailboxes as reads see them: what is durable. The last ones are kept, because a mailbox is read
 * page by page, and one that has thousands of messages in the log should not be put together for
 * each page. As long as the head is the one that it was opened from, only what the log added since
 * is missing; a checkpoint may land at any time.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Environment } from '../environment.ts';
import type { CommitLog } from '../log/commit-log.ts';
import { prefixedKey } from '../records/keys.ts';
import { Mailbox, openMailbox } from './mailbox.ts';

const MOST_KEPT = 64;

interface Kept {
  readonly head: Buffer;
  readonly mailbox: Mailbox;
}

export class ReadMailboxes {
  readonly #environment: Environment;
  readonly #log: CommitLog;
  readonly #kept = new Map<DeviceId, Kept>();

  constructor(environment: Environment, log: CommitLog) {
    this.#environment = environment;
    this.#log = log;
  }

  /** Undefined when there is no such device. What it answers holds until the end of the turn. */
  get(device: DeviceId): Mailbox | undefined {
    const { databases, renew } = this.#environment;
    this.#log.check();
    renew();
    const head = databases.mailboxes.getBinary(prefixedKey(device));
    const kept = this.#kept.get(device);
    if (head && kept?.head.equals(head)) {
      kept.mailbox.replay(this.#log.entriesOf(device));
      return kept.mailbox;
    }
    this.#kept.delete(device);
    const mailbox = head && openMailbox(Mailbox, databases.mailboxes, this.#log, device);
    if (mailbox) this.#keep(device, { head, mailbox });
    return mailbox;
  }

  #keep(device: DeviceId, one: Kept): void {
    // The longest kept one goes first; which one is of no account.
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(device, one);
  }
}
