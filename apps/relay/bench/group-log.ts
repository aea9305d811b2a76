/** The least a durable message server can do: all that waits at the end of one file, one fdatasync a batch. */
import { closeSync, fdatasync, openSync, writeSync } from 'node:fs';

export class GroupLog {
  readonly #file: number;
  #records: Buffer[] = [];
  #durable: (() => void)[] = [];
  #isCommitting = false;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  /** A record that nobody waits for rides with the next that has a `durable`. */
  append(record: Buffer, durable?: () => void): void {
    const head = Buffer.allocUnsafe(4);
    head.writeUInt32LE(record.length);
    this.#records.push(head, record);
    if (!durable) return;
    this.#durable.push(durable);
    if (this.#isCommitting) return;
    this.#isCommitting = true;
    setImmediate(this.#commit);
  }

  close(): void {
    closeSync(this.#file);
  }

  readonly #commit = (): void => {
    const durable = this.#durable;
    writeSync(this.#file, Buffer.concat(this.#records));
    this.#records = [];
    this.#durable = [];
    fdatasync(this.#file, (error) => {
      if (error) throw error;
      for (const each of durable) each();
      this.#isCommitting = this.#durable.length > 0;
      if (this.#isCommitting) setImmediate(this.#commit);
    });
  };
}
