/**
 * What whoever runs the server tells everybody who is connected. It is of no account and in no conversation: an application shows it as
 * the server's word. Kept nowhere: the relay says it again with each connection until it ends.
 */
import type { ServerNotice as NoticeFrame } from '@sealwire/wire/frames';

export interface ServerNotice {
  /** The same however often it comes. */
  readonly id: string;
  readonly text: string;
  /** ms, the server's clock. */
  readonly at: number;
  readonly until: number;
}

/** Of those that were told here: a server that makes up ever new ones fills no memory. */
const REMEMBERED = 100;

export class ServerNotices {
  readonly #listeners = new Set<(notice: ServerNotice) => void>();
  readonly #told = new Set<string>();

  /** The answer ends it. */
  onNotice(listener: (notice: ServerNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Each id is told once. */
  received({ id, text, at, until }: NoticeFrame): void {
    if (this.#told.has(id)) return;
    this.#told.add(id);
    const [oldest = ''] = this.#told;
    if (this.#told.size > REMEMBERED) this.#told.delete(oldest);
    for (const listener of [...this.#listeners]) listener({ id, text, at, until });
  }
}
