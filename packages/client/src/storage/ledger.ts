/**
 * All records of this device in memory, over a `ClientStorage` that makes them durable (docs/spec/client.md section 2). Archived ones are
 * written by the same transactions, and read from the storage each time (`archived`): a transaction does not see them.
 *
 * A change is a synchronous function over a `Transaction`. Those that wait while a write is under way are run one after the other
 * on top of each other and made durable by one write: what a promise of `commit` promises is always "on disk". Nobody outside a
 * transaction sees a change before that, so a failed write needs no undoing. A function that throws leaves no trace.
 */
import { asClientError, ClientError } from '../errors.ts';
import { ARCHIVE, type ClientStorage } from './storage.ts';

/** Records by text key. Keys are `table/name`: a scan looks at one table only. */
export interface Records {
  get(key: string): Uint8Array | undefined;
  /** In code-unit order. `prefix` holds at least `table/`. */
  keys(prefix: string): string[];
}

export interface Transaction extends Records {
  set(key: string, value: Uint8Array): void;
  delete(key: string): void;
  /** Runs `work` with changes of its own: they join this transaction when `work` answers, and vanish when it throws. */
  nested<T>(work: (transaction: Transaction) => T): T;
}

interface Waiting {
  run(transaction: Transaction): void;
  failed(error: unknown): void;
  durable(): void;
}

export class Ledger implements Records {
  readonly #storage: ClientStorage;
  readonly #records: RecordMap;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #broken: ClientError | undefined;

  private constructor(storage: ClientStorage, records: RecordMap) {
    this.#storage = storage;
    this.#records = records;
  }

  static async open(storage: ClientStorage): Promise<Ledger> {
    const records = new RecordMap(storage.read === undefined);
    for (const [key, value] of await storage.load()) records.set(key, value);
    return new Ledger(storage, records);
  }

  get(key: string): Uint8Array | undefined {
    return this.#records.get(key);
  }

  keys(prefix: string): string[] {
    return this.#records.keys(prefix);
  }

  /** Archived records in the order of `keys`, as the commits that have resolved left them. Throws as the storage does. */
  async archived(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    if (this.#broken) throw this.#broken;
    if (this.#storage.read) return this.#storage.read(keys);
    return keys.map((key) => this.#records.get(key));
  }

  /** What was taken away before is to be out of reach of who reads the disk, as far as the storage can see to that. */
  erase(): void {
    if (!this.#broken) this.#storage.erase?.();
  }

  /**
   * Answers what `work` answered once its changes are durable. Rejects with what `work` threw, or with `storage-failed`: after that
   * nobody knows what the disk holds, every later commit fails too, and the device has to be opened again.
   */
  commit<T>(work: (transaction: Transaction) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let answer: T;
      this.#waiting.push({
        run: (transaction) => {
          answer = work(transaction);
        },
        failed: reject,
        durable: () => resolve(answer),
      });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Waits for what is under way, then closes the storage. */
  async close(): Promise<void> {
    while (this.#writing) await this.#writing;
    this.#broken ??= new ClientError('closed', 'this client is closed: open it again');
    await this.#storage.close();
  }

  async #writeAll(): Promise<void> {
    // One turn of the event loop lets commits of the same turn share the first write, too.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      await this.#writeGroup(group);
    }
    this.#writing = undefined;
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const overlay = new Overlay(this.#records);
    const done: Waiting[] = [];
    for (const waiting of group) {
      try {
        if (this.#broken) throw this.#broken;
        overlay.nested((transaction) => waiting.run(transaction));
        done.push(waiting);
      } catch (error) {
        waiting.failed(error);
      }
    }
    try {
      const changes = overlay.changes();
      if (changes.length > 0) await this.#storage.write(changes);
    } catch (error) {
      this.#broken = asClientError(error, 'storage-failed');
      for (const waiting of done) waiting.failed(this.#broken);
      return;
    }
    overlay.mergeInto(this.#records);
    for (const waiting of done) waiting.durable();
  }
}

/** Records by table, so that a scan of a small table does not walk the large ones. */
class RecordMap {
  readonly #tables = new Map<string, Map<string, Uint8Array>>();
  readonly #keepsArchive: boolean;

  constructor(keepsArchive: boolean) {
    this.#keepsArchive = keepsArchive;
  }

  get(key: string): Uint8Array | undefined {
    return this.#tables.get(tableOf(key))?.get(key);
  }

  keys(prefix: string): string[] {
    const table = this.#tables.get(tableOf(prefix)) ?? new Map<string, Uint8Array>();
    return [...table.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  set(key: string, value: Uint8Array): void {
    if (!this.#keepsArchive && key.startsWith(ARCHIVE)) return;
    const name = tableOf(key);
    const table = this.#tables.get(name);
    if (table) table.set(key, value);
    else this.#tables.set(name, new Map([[key, value]]));
  }

  delete(key: string): void {
    this.#tables.get(tableOf(key))?.delete(key);
  }
}

class Overlay implements Transaction {
  readonly #below: Records;
  readonly #changed = new Map<string, Uint8Array | undefined>();

  constructor(below: Records) {
    this.#below = below;
  }

  get(key: string): Uint8Array | undefined {
    return this.#changed.has(key) ? this.#changed.get(key) : this.#below.get(key);
  }

  keys(prefix: string): string[] {
    const keys = new Set(this.#below.keys(prefix));
    for (const [key, value] of this.#changed) {
      if (!key.startsWith(prefix)) continue;
      if (value) keys.add(key);
      else keys.delete(key);
    }
    return [...keys].sort();
  }

  set(key: string, value: Uint8Array): void {
    tableOf(key);
    this.#changed.set(key, value);
  }

  delete(key: string): void {
    this.#changed.set(key, undefined);
  }

  nested<T>(work: (transaction: Transaction) => T): T {
    const inner = new Overlay(this);
    const answer = work(inner);
    inner.mergeInto(this);
    return answer;
  }

  changes(): { key: string; value?: Uint8Array }[] {
    return [...this.#changed].map(([key, value]) => (value ? { key, value } : { key }));
  }

  mergeInto(target: { set(key: string, value: Uint8Array): void; delete(key: string): void }): void {
    for (const [key, value] of this.#changed) {
      if (value) target.set(key, value);
      else target.delete(key);
    }
  }
}

function tableOf(key: string): string {
  const slash = key.indexOf('/');
  if (slash < 1) throw new RangeError(`a record key is table/name, not ${key}`);
  return key.slice(0, slash);
}
