/** The least that a server can do which promises to keep: all that waits goes to the end of one file, with one fdatasync a batch. */
import { closeSync, fdatasync, openSync, writeSync } from 'node:fs';

export class GroupLog {
  readonly #file: number;
  #records: Uint8Array[] = [];
  #told: (() => void)[] = [];
  #isBusy = false;

  constructor(path: string) {
    this.#file = openSync(path, 'a', 0o600);
  }

  /** `durable` is called when the record would survive; without it, the record goes with the next batch that somebody waits for. */
  append(record: Uint8Array, durable?: () => void): void {
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, record.length);
    this.#records.push(head, record);
    if (!durable) return;
    this.#told.push(durable);
    if (!this.#isBusy) this.#commitNext();
  }

  close(): void {
    closeSync(this.#file);
  }

  #commitNext(): void {
    this.#isBusy = this.#told.length > 0;
    if (this.#isBusy) setImmediate(() => this.#commit());
  }

  #commit(): void {
    const [records, told] = [this.#records, this.#told];
    this.#records = [];
    this.#told = [];
    writeSync(this.#file, Buffer.concat(records));
    fdatasync(this.#file, (error) => {
      if (error) throw error;
      for (const durable of told) durable();
      this.#commitNext();
    });
  }
}
