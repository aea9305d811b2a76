/** The ids of one batch of deliveries on top of those that are durable (docs/spec/client.md section 6): what is a repeat. */
import type { DeviceId } from '@sealwire/wire/ids';
import type { SeenIds } from './seen.ts';

export class FreshIds {
  readonly list: { sender: DeviceId; id: string }[] = [];
  readonly #names = new Set<string>();
  readonly #seen: SeenIds;

  constructor(seen: SeenIds) {
    this.#seen = seen;
  }

  has(sender: DeviceId, id: string): boolean {
    return this.#seen.has(sender, id) || this.#names.has(`${sender} ${id}`);
  }

  /** False for a repeat. */
  take(sender: DeviceId, id: string): boolean {
    if (this.has(sender, id)) return false;
    this.#names.add(`${sender} ${id}`);
    this.list.push({ sender, id });
    return true;
  }
}
