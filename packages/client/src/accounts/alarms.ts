/** What the parts below the inbox have to tell the application: that a server shows something else than it did before. */
import type { DurableEvent, Inbox } from '../messages/inbox.ts';
import type { Transaction } from '../storage/ledger.ts';

export class Alarms {
  #inbox: Inbox | undefined;

  /** Before this there is nobody to tell. */
  bind(inbox: Inbox): void {
    this.#inbox = inbox;
  }

  /** As `Inbox.add`. */
  tell(transaction: Transaction, event: DurableEvent): () => void {
    return this.#inbox?.add(transaction, event) ?? (() => {});
  }
}
