/**
 * Notices that LIME devices of somebody else asked for and have not got yet: RFC 5438, one for a message, since that is what Linphone takes
 * (docs/spec/messages.md section 7). Table `notices`, numbered in order.
 */
import type { ImdnNotice } from '@sealwire/cpim/notice';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { Ledger, Records, Transaction } from '../../storage/ledger.ts';
import { numberOf, orderedKey } from '../../storage/ordered-key.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';
import { mayHappen, NOTICES, spend } from '../healing/allowances.ts';

const TABLE = 'notices';
/** That wait: of one device, and of all together. Beyond it none is promised to anybody. */
export const NOTICES_OF_DEVICE = 64;
export const WAITING_NOTICES = 256;

interface StoredNotice {
  /** The account that it is encrypted for. */
  readonly to: AccountAddress;
  readonly device: DeviceId;
  /** Of the message that it is about, and that message's time, ms. */
  readonly id: string;
  readonly sentAt: number;
  readonly status: 'delivered' | 'displayed';
}

export interface OwedNotice extends StoredNotice {
  readonly key: string;
}

export class OwedNotices {
  readonly #ledger: Ledger;
  readonly #now: () => number;

  constructor(ledger: Ledger, now: () => number) {
    this.#ledger = ledger;
    this.#now = now;
  }

  /**
   * One more is owed, unless the device has asked for too much. *Displayed* says *delivered*, too: it goes in the place of a notice of the
   * same message that still waits.
   */
  add(transaction: Transaction, notice: StoredNotice): void {
    const waiting = noticesIn(transaction);
    const same = waiting.find(({ device, id }) => device === notice.device && id === notice.id);
    if (same) {
      transaction.set(same.key, encodeRecord(notice));
      return;
    }
    const ofDevice = waiting.filter(({ device }) => device === notice.device);
    if (ofDevice.length >= NOTICES_OF_DEVICE || waiting.length >= WAITING_NOTICES) return;
    const now = this.#now();
    if (!mayHappen(transaction, NOTICES, notice.device, now)) return;
    spend(transaction, NOTICES, notice.device, now);
    const last = waiting.at(-1);
    transaction.set(orderedKey(TABLE, last ? numberOf(last.key) + 1 : 0), encodeRecord(notice));
  }

  /** Those to whom something is owed. */
  addressees(): AccountAddress[] {
    return [...new Set(noticesIn(this.#ledger).map(({ to }) => to))];
  }

  waiting(to: AccountAddress): OwedNotice[] {
    return noticesIn(this.#ledger).filter((notice) => notice.to === to);
  }

  /** The server has taken it, or never will. What took its place meanwhile stays. */
  done(transaction: Transaction, { key, id, status }: OwedNotice): void {
    const now = noticesIn(transaction).find((notice) => notice.key === key);
    if (now?.id === id && now.status === status) transaction.delete(key);
  }

  /** The device has left its account's manifest. */
  forget(transaction: Transaction, gone: DeviceId): void {
    for (const { key, device } of noticesIn(transaction)) if (device === gone) transaction.delete(key);
  }
}

/** As RFC 5438 has it. */
export function imdnOf({ id, sentAt, status }: OwedNotice): ImdnNotice {
  const about = { messageId: id, sentAt };
  return status === 'displayed' ? { kind: 'display', status, ...about } : { kind: 'delivery', status, ...about };
}

function noticesIn(records: Records): OwedNotice[] {
  return records.keys(`${TABLE}/`).map((key) => ({ ...decodeRecord<StoredNotice>(records.get(key)!).header, key }));
}
