/** Web Locks in one process, exclusive ones only: what several pages of a browser would share. */
import type { LockManager } from '../browser/platform.ts';

interface Waiting {
  readonly grant: () => Promise<void>;
  readonly settle: { resolve(): void; reject(reason: unknown): void };
}

export class FakeLocks implements LockManager {
  readonly #queues = new Map<string, Waiting[]>();

  request(name: string, { signal }: { signal: AbortSignal }, held: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      const entry = { grant: held, settle: { resolve, reject } };
      queue.push(entry);
      signal.addEventListener('abort', () => {
        if (queue[0] === entry || !queue.includes(entry)) return;
        queue.splice(queue.indexOf(entry), 1);
        reject(signal.reason);
      });
      if (queue.length === 1) this.#grant(queue);
    });
  }

  /** As `steal: true` of another page does it: the owner is told, and its page goes on. */
  steal(name: string): void {
    this.#queues.get(name)?.[0]?.settle.reject(new DOMException('the lock was stolen', 'AbortError'));
  }

  #grant(queue: Waiting[]): void {
    const [next] = queue;
    // Never in the same turn as the request.
    if (next)
      queueMicrotask(async () => {
        await next.grant();
        next.settle.resolve();
        queue.shift();
        this.#grant(queue);
      });
  }
}
