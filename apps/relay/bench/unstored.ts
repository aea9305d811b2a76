/** A store whose mailboxes number messages and keep nothing: what is left is the cost of the relay itself. */
import { openMemoryStore } from '@sealwire/store/memory';
import type { Mailboxes, Store } from '@sealwire/store/port';
import type { DeviceId } from '@sealwire/wire/ids';

/** A write takes this long, and costs nothing. */
const WRITE_MS = 2;

export function openUnstored(): Store {
  const store = openMemoryStore();
  const last = new Map<DeviceId, number>();
  function next(device: DeviceId): number {
    const seq = (last.get(device) ?? 0) + 1;
    last.set(device, seq);
    return seq;
  }
  const mailboxes: Mailboxes = {
    ...store.mailboxes,
    async append(batch) {
      await new Promise((resolve) => setTimeout(resolve, WRITE_MS));
      return batch.map(({ recipients }) => ({
        status: 'accepted',
        seqs: recipients.map(({ device }) => next(device)),
        refused: [],
      }));
    },
    async acknowledge(batch) {
      return batch.map(() => 'done');
    },
    async read(device) {
      return { mails: [], end: true, settledSeq: last.get(device) ?? 0 };
    },
  };
  return { ...store, mailboxes };
}
