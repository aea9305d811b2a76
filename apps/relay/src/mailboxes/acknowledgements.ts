/** Acknowledgements on their way to the mailboxes: merged per session, so that the store sees few and large ones (performance, trick 3). */
import type { Acknowledgement } from '@sealwire/store/port';
import type { Session } from '../sockets/session.ts';

interface Merged {
  upTo: number;
  readonly also: number[];
}

// Beyond this a session's selective acknowledgements are handed over at once.
const MAX_ALSO = 256;

export class Acknowledgements {
  private waiting = new Map<Session, Merged>();

  get isEmpty(): boolean {
    return this.waiting.size === 0;
  }

  /** True: much waits for this session, and should be written at once. */
  add(session: Session, upTo: number, also: readonly number[]): boolean {
    let merged = this.waiting.get(session);
    if (!merged) {
      merged = { upTo: 0, also: [] };
      this.waiting.set(session, merged);
    }
    merged.upTo = Math.max(merged.upTo, upTo);
    for (const seq of also) merged.also.push(seq);
    return merged.also.length >= MAX_ALSO;
  }

  /** Everything that waits; the sessions in the same order. */
  take(): { readonly sessions: readonly Session[]; readonly batch: readonly Acknowledgement[] } {
    const { waiting } = this;
    this.waiting = new Map();
    return {
      sessions: [...waiting.keys()],
      batch: [...waiting].map(([{ device, number }, { upTo, also }]) => ({ device, session: number, upTo, also })),
    };
  }
}
