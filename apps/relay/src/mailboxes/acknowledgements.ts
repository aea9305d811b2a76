/** Acknowledgements on their way to the mailboxes: merged per session, so that the store sees few and large ones (performance, trick 3). */
import type { Acknowledgement } from '@sealwire/store/port';
import type { Session } from '../sockets/session.ts';

export class Acknowledgements {
  private waiting = new Map<Session, number>();

  get isEmpty(): boolean {
    return this.waiting.size === 0;
  }

  add(session: Session, upTo: number): void {
    this.waiting.set(session, Math.max(this.waiting.get(session) ?? 0, upTo));
  }

  /** Everything that waits; the sessions in the same order. */
  take(): { readonly sessions: readonly Session[]; readonly batch: readonly Acknowledgement[] } {
    const { waiting } = this;
    this.waiting = new Map();
    return {
      sessions: [...waiting.keys()],
      batch: [...waiting].map(([{ device, number }, upTo]) => ({ device, session: number, upTo, also: [] })),
    };
  }
}
