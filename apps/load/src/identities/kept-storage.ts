/**
 * The SDK's records of one test account: in memory while a run lasts, in one file between runs. A load of hundreds of SDK clients would
 * otherwise measure this machine's disk; a run that is killed loses the newest ratchets, which healing mends (docs/spec/healing.md).
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { MemoryStorage } from '@sealwire/client/memory-storage';
import type { ClientStorage, StorageChange } from '@sealwire/client/storage';
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';

export class KeptStorage implements ClientStorage {
  readonly #path: string;
  readonly #memory = new MemoryStorage();

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<Map<string, Uint8Array>> {
    if (existsSync(this.#path)) {
      const records = JSON.parse(readFileSync(this.#path, 'utf8')) as Record<string, string>;
      const changes = Object.entries(records).map(([key, value]) => ({ key, value: decodeBase64url(value) }));
      await this.#memory.write(changes);
    }
    return this.#memory.load();
  }

  write(changes: readonly StorageChange[]): Promise<void> {
    return this.#memory.write(changes);
  }

  async close(): Promise<void> {
    const records = [...(await this.#memory.copy().load())].map(([key, value]) => [key, encodeBase64url(value)]);
    // Whole or not at all.
    writeFileSync(`${this.#path}.new`, JSON.stringify(Object.fromEntries(records)), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}
