/** Which messages of NES were shown, on the disk: a message that comes again is not shown again, whoever sends it and whenever. */
import type { ClientStorage, StorageChange } from '@sealwire/client/storage';
import { ID_BYTES, type MessageId, ReplayMemory } from '@sealwire/nes/replay-memory';
import type { Username } from '@sealwire/nes/username';

export class SeenMessages {
  /** For `openMessage`, which takes a message for seen before it was shown; `remember` makes that durable. */
  readonly memory = new ReplayMemory();
  readonly #storage: ClientStorage;
  /** Who has a record. */
  readonly #senders: Set<Username>;

  private constructor(storage: ClientStorage, senders: Iterable<Username>) {
    this.#storage = storage;
    this.#senders = new Set(senders);
  }

  static async load(storage: ClientStorage): Promise<SeenMessages> {
    const records = (await storage.load()) as Map<Username, Uint8Array>;
    const seen = new SeenMessages(storage, records.keys());
    for (const [from, bytes] of records)
      for (let at = 0; at < bytes.length; at += ID_BYTES)
        seen.memory.isNew(from, Buffer.from(bytes.subarray(at, at + ID_BYTES)).toString('hex') as MessageId);
    return seen;
  }

  /** Durable when it resolves: what `from` wrote has been shown. */
  async remember(from: Username): Promise<void> {
    const forgotten = [...this.#senders].filter((sender) => !this.memory.knows(sender));
    const value = new Uint8Array(Buffer.from(this.memory.idsOf(from).join(''), 'hex'));
    const changes: StorageChange[] = [{ key: from, value }, ...forgotten.map((key) => ({ key }))];
    await this.#storage.write(changes);
    this.#senders.add(from);
    for (const sender of forgotten) this.#senders.delete(sender);
  }

  close(): Promise<void> {
    return this.#storage.close();
  }
}
