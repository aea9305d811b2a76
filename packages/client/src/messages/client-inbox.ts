/** Events that are set aside, as the application sees them (docs/spec/client.md section 6). `Client.messages` reads the others. */
import type { SetAside } from '../events.ts';
import type { Inbox } from './inbox.ts';

export class ClientInbox {
  readonly #inbox: Inbox;

  constructor(inbox: Inbox) {
    this.#inbox = inbox;
  }

  /** Events that five loops in a row began with and did not get beyond, the oldest first; at most a hundred, of which the oldest go. */
  parked(): readonly SetAside[] {
    return this.#inbox.parked();
  }

  /** Hands a parked event out once more, after those that wait. Throws `ClientError` `not-found`. */
  retry(id: string): Promise<void> {
    return this.#inbox.retry(id);
  }
}
