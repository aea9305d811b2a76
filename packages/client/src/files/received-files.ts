/**
 * Files that messages named, for applications that keep no messages: what fetches each, sealed like all of this device's storage, under a
 * short number (docs/spec/files.md section 8). Table `file`; `filed/last` is the last number, which is never given twice.
 */
import { decodeFileDescriptor, encodeFileDescriptor, type FileDescriptor } from '@sealwire/wire/file-descriptor';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { IncomingMessage } from '../events.ts';
import type { Ledger, Records, Transaction } from '../storage/ledger.ts';
import { numberOf, orderedKey } from '../storage/ordered-key.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

const TABLE = 'file';
const LAST = 'filed/last';
/** Beyond it the oldest ones go of whoever sent most: nobody can push out what others sent. */
export const RECEIVED_FILES = 1_000;

export interface ReceivedFile {
  /** Decimal, from 1, in the order in which they were kept. */
  readonly id: string;
  /** As `IncomingMessage.id`. */
  readonly message: string;
  readonly from: AccountAddress;
  readonly device: DeviceId;
  readonly conversation: AccountAddress;
  /** ms, the relay's clock. */
  readonly acceptedAt: number;
  /** Without its thumbnail, which the message had. */
  readonly descriptor: FileDescriptor;
}

/** With the end of the descriptor, which is decoded for whoever asks for the file only. */
type Header = Omit<ReceivedFile, 'id' | 'descriptor'> & { readonly expiresAt: number };

interface Entry {
  readonly key: string;
  readonly header: Header;
  readonly descriptor: Uint8Array;
}

export class ReceivedFiles {
  readonly #ledger: Ledger;
  readonly #now: () => number;

  constructor(ledger: Ledger, now: () => number) {
    this.#ledger = ledger;
    this.#now = now;
  }

  /**
   * Keeps what fetches the file that `message` named (`fileIn`) until its end; the same message again is the same file. Durable when it
   * resolves; undefined: the server does not have the file any more.
   */
  async keep(message: IncomingMessage, descriptor: FileDescriptor): Promise<ReceivedFile | undefined> {
    const { id, from, device, conversation, acceptedAt } = message;
    if (descriptor.expiresAt <= this.#now()) return undefined;
    return this.#ledger.commit((transaction) => {
      const entries = entriesIn(transaction);
      const kept = entries.find(({ header }) => header.message === id && header.device === device);
      if (kept) return fileOf(kept);
      const { thumbnail: _, ...rest } = descriptor;
      const number = lastIn(transaction) + 1;
      const header: Header = { message: id, from, device, conversation, acceptedAt, expiresAt: rest.expiresAt };
      const entry = { key: orderedKey(TABLE, number), header, descriptor: encodeFileDescriptor(rest) };
      transaction.set(LAST, encodeRecord({ last: number }));
      transaction.set(entry.key, encodeRecord(header, entry.descriptor));
      this.#sweep(transaction, [...entries, entry]);
      return fileOf(entry);
    });
  }

  /** Those that can be fetched still, the oldest first. */
  list(): ReceivedFile[] {
    const now = this.#now();
    return entriesIn(this.#ledger)
      .filter(({ header }) => header.expiresAt > now)
      .map(fileOf);
  }

  /** Throws `ClientError`: `file-expired` when there was one of this id, `not-found` when there never was. */
  find(id: string): ReceivedFile {
    const file = this.list().find((each) => each.id === id);
    if (file) return file;
    if (/^[1-9]\d{0,14}$/.test(id) && Number(id) <= lastIn(this.#ledger))
      throw new ClientError('file-expired', `file ${id} is over: the server keeps none for ever; ask its sender again`);
    throw new ClientError('not-found', `there is no file ${id}: none of this number has come`);
  }

  #sweep(transaction: Transaction, entries: readonly Entry[]): void {
    const now = this.#now();
    const left = entries.filter(({ header }) => header.expiresAt > now);
    for (const { key, header } of entries) if (header.expiresAt <= now) transaction.delete(key);
    while (left.length > RECEIVED_FILES) {
      const counts = new Map<string, number>();
      for (const { header } of left) counts.set(header.from, (counts.get(header.from) ?? 0) + 1);
      const most = Math.max(...counts.values());
      const [gone] = left.splice(
        left.findIndex(({ header }) => counts.get(header.from) === most),
        1,
      );
      transaction.delete(gone!.key);
    }
  }
}

function entriesIn(records: Records): Entry[] {
  return records.keys(`${TABLE}/`).map((key) => {
    const { header, blob } = decodeRecord<Header>(records.get(key)!);
    return { key, header, descriptor: blob };
  });
}

function fileOf({ key, header: { expiresAt: _, ...header }, descriptor }: Entry): ReceivedFile {
  return { id: String(numberOf(key)), ...header, descriptor: decodeFileDescriptor(descriptor) };
}

function lastIn(records: Records): number {
  const record = records.get(LAST);
  return record ? decodeRecord<{ last: number }>(record).header.last : 0;
}
