/**
 * Checkpoints: of a ring that gets full, the oldest records are taken over into LMDB, and go. In
 * slices, each a transaction of a few milliseconds, while commits to the log go on beside them:
 * what is in memory changes only when a slice is durable.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { AcceptedIds } from './ids/accepted-ids.ts';
import type { CommitLog } from './log/commit-log.ts';
import type { OpenMailboxes } from './mailboxes/open-mailboxes.ts';
import type { Writer } from './writer.ts';

/**
 * How full the ring is when a checkpoint begins, and how full it is left: nearly all of the oldest
 * is acknowledged by then.
 */
const BEGINS_AT = 0.75;
const LEAVES = 0.5;
/** What one slice takes over, some more or less. */
const MAILBOXES_AT_ONCE = 128;
const MESSAGES_AT_ONCE = 512;

export class Checkpoints {
  readonly #lmdb: Writer;
  readonly #log: CommitLog;
  readonly #mailboxes: OpenMailboxes;
  readonly #ids: AcceptedIds;
  #running: Promise<unknown> | undefined;
  /** The slice that is on its way. */
  #slice: Promise<unknown> = Promise.resolve();

  constructor(lmdb: Writer, log: CommitLog, mailboxes: OpenMailboxes, ids: AcceptedIds) {
    this.#lmdb = lmdb;
    this.#log = log;
    this.#mailboxes = mailboxes;
    this.#ids = ids;
  }

  /**
   * Begins one if it is time and none runs. One that fails (the disk is full) is begun again some
   * time.
   */
  beginIfDue(): void {
    if (this.#log.usedAfter() > BEGINS_AT) this.#begin();
  }

  /**
   * Waits for a slice, after which the ring may have more room. False: there is none, so it will
   * not have.
   */
  async makeRoom(): Promise<boolean> {
    this.#begin();
    if (!this.#running) return false;
    await this.#slice;
    return true;
  }

  /** Once nobody commits any more: takes over all that the log has. */
  async takeOverAll(): Promise<void> {
    await this.#running;
    await this.#takeOver(this.#log.applied);
  }

  #begin(): void {
    if (this.#running) return;
    const last = this.#log.records.find((record) => this.#log.usedAfter(record) <= LEAVES);
    if (!last) return;
    this.#running = this.#takeOver(last.lsn)
      .catch(() => {})
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #takeOver(upTo: number): Promise<void> {
    const records = this.#log.records.filter(({ lsn }) => lsn <= upTo);
    const last = records.at(-1);
    if (!last) return;
    // In the order of their keys, so that each page of the tree is written once, not with every
    // slice.
    const devices = [...new Set(records.flatMap((record) => record.devices))].sort();
    try {
      let next = 0;
      while (next < devices.length) {
        const from = next;
        next = await this.#take(() => this.#takeMailboxes(devices, from, upTo));
        for (const device of devices.slice(from, next + 1)) this.#mailboxes.settle(device);
      }
      const more = await this.#take(() => {
        this.#log.putStart(last);
        return this.#ids.takeOver(records);
      });
      this.#ids.count(more);
    } catch (error) {
      // Nobody knows which heads the disk has: all is read anew.
      this.#mailboxes.clear();
      throw error;
    }
    for (const device of devices) this.#mailboxes.dropped(device, upTo);
    this.#log.drop(last);
  }

  /** One slice. */
  #take<Result>(job: () => Result): Promise<Result> {
    const slice = this.#lmdb.run(job);
    this.#slice = slice;
    return slice;
  }

  /**
   * Inside a transaction of LMDB: some of these mailboxes, from the one at `from`; where the next
   * slice begins.
   */
  #takeMailboxes(devices: readonly DeviceId[], from: number, upTo: number): number {
    let next = from;
    let left = MESSAGES_AT_ONCE;
    while (next < devices.length && next - from < MAILBOXES_AT_ONCE) {
      const mailbox = this.#mailboxes.get(devices[next] as DeviceId);
      left -= mailbox?.checkpoint(upTo, this.#log.applied, this.#log.epoch, left) ?? 0;
      // This one may have more.
      if (left === 0) break;
      next++;
    }
    // Heads know of the commit that is on its way to the disk: its LSN must not be given again.
    this.#log.putStart();
    return next;
  }
}
