/** How long each fault was felt: by the messages that were written while it lasted and until it was over. */
import type { HistoryEvent } from '../history/events.ts';

/** A message that takes longer is one that felt something. */
export const SLOW_MS = 3_000;
/** A fault is over when nothing was slow for so long; what was written in that time may have felt the next one. */
export const CALM_MS = 3_000;

export interface Felt {
  readonly fault: string;
  readonly begins: number;
  /** Undefined: the drill ended before. */
  readonly lifted: number | undefined;
  readonly over: number | undefined;
  readonly sent: number;
  /** From writing to the last device that got it, of all messages of this time, ms. */
  readonly longestWaitMs: number;
  /** From the lifting of the fault to the arrival of the last message that was slow because of it, ms. 0: none was. */
  readonly recoveryMs: number;
}

interface Message {
  readonly at: number;
  last: number;
}

export class Recovery {
  readonly #messages = new Map<string, Message>();
  readonly #faults: { fault: string; begins: number; lifted: number | undefined; over: number | undefined }[] = [];

  take(event: HistoryEvent): void {
    if (event.event === 'send') this.#messages.set(event.id, { at: event.at, last: event.at });
    else if (event.event === 'received') {
      const message = this.#messages.get(event.id);
      if (message) message.last = event.at;
    } else if (event.event === 'fault') {
      const open = this.#faults.at(-1);
      if (event.phase === 'begins')
        this.#faults.push({ fault: event.fault, begins: event.at, lifted: undefined, over: undefined });
      else if (open && event.phase === 'lifted') open.lifted = event.at;
      else if (open) open.over = event.at;
    }
  }

  /** One entry for each time that a fault was made, in order. */
  felt(): Felt[] {
    const ordered = [...this.#messages.values()].sort((a, b) => a.at - b.at);
    return this.#faults.map((fault) => {
      const { begins, lifted, over = Number.POSITIVE_INFINITY } = fault;
      const during = ordered.filter(({ at, last }) => at <= over - CALM_MS && last >= begins);
      const slow = during.filter(({ at, last }) => last - at > SLOW_MS);
      return {
        ...fault,
        sent: during.filter(({ at }) => at >= begins).length,
        longestWaitMs: Math.max(0, ...during.map(({ at, last }) => last - at)),
        recoveryMs: lifted === undefined ? 0 : Math.max(0, ...slow.map(({ last }) => last - lifted)),
      };
    });
  }
}
