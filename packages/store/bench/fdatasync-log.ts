/**
 * The named peer: the least a durable mailbox can cost. Messages and acknowledgements at the end of
 * one file, one fdatasync a batch.
 */
import { fdatasync, openSync, write } from 'node:fs';
import { promisify } from 'node:util';
import type { Acknowledgement, Mail } from '../src/port.ts';

const writeAt = promisify(write);
const sync = promisify(fdatasync);

export class FdatasyncLog {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  /**
   * One record a recipient (lengths, id, device, bytes) and one an acknowledgement; durable when it
   * resolves.
   */
  async commit(mails: readonly Mail[], acknowledgements: readonly Acknowledgement[]): Promise<void> {
    const parts: Uint8Array[] = [];
    for (const { id, shared, recipients } of mails)
      for (const { device, own } of recipients) {
        const pieces = [...shared, ...own];
        const head = Buffer.allocUnsafe(8);
        head.writeUInt32LE(device.length);
        head.writeUInt32LE(
          pieces.reduce((sum, { length }) => sum + length, 0),
          4,
        );
        parts.push(head, id, Buffer.from(device), ...pieces);
      }
    for (const { device, upTo } of acknowledgements) {
      const head = Buffer.allocUnsafe(12);
      head.writeUInt32LE(device.length);
      head.writeDoubleLE(upTo, 4);
      parts.push(head, Buffer.from(device));
    }
    await writeAt(this.#file, Buffer.concat(parts));
    await sync(this.#file);
  }
}
