/** Records in memory, for tests and for devices that live as long as their process. The records outlive `close`. */
import { ClientError } from '../errors.ts';
import { ARCHIVE, type ClientStorage, type StorageChange } from './storage.ts';

export class MemoryStorage implements ClientStorage {
  readonly #records = new Map<string, Uint8Array>();
  #held = false;

  /** `locked` while another client has loaded these records and not closed them: two owners would fork the ratchets. */
  async load(): Promise<Map<string, Uint8Array>> {
    if (this.#held)
      throw new ClientError('locked', 'another client of this process has this storage open: close it first');
    this.#held = true;
    const loaded = [...this.#records].filter(([key]) => !key.startsWith(ARCHIVE));
    return new Map(loaded.map(([key, value]) => [key, value.slice()]));
  }

  async read(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.#records.get(key)?.slice());
  }

  async write(changes: readonly StorageChange[]): Promise<void> {
    for (const { key, value } of changes) {
      if (value) this.#records.set(key, value.slice());
      else this.#records.delete(key);
    }
  }

  async close(): Promise<void> {
    this.#held = false;
  }

  /** What a crash at this moment would leave behind: the same records, held by nobody. */
  copy(): MemoryStorage {
    const copy = new MemoryStorage();
    for (const [key, value] of this.#records) copy.#records.set(key, value.slice());
    return copy;
  }
}
