/** Whether this device keeps messages, and how long: record `keeping/settings` (docs/spec/history.md section 1). Off unless switched on. */
import { ClientError } from '../errors.ts';
import type { Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

export interface Retention {
  /** Older messages go. Default: none does. */
  readonly days?: number;
  /** Of each conversation the newest so many stay, and up to 63 more. Default: all do. */
  readonly messages?: number;
}

export interface HistorySettings extends Retention {
  readonly on: boolean;
}

const SETTINGS = 'keeping/settings';
const MOST = 1_000_000_000;

export function readSettings(records: Pick<Records, 'get'>): HistorySettings {
  const record = records.get(SETTINGS);
  return record ? decodeRecord<HistorySettings>(record).header : { on: false };
}

/** Throws `bad-request`. */
export function writeSettings(transaction: Transaction, { on, days, messages }: HistorySettings): void {
  for (const [name, number] of Object.entries({ days, messages }))
    if (number !== undefined && !(Number.isSafeInteger(number) && number >= 1 && number <= MOST))
      throw new ClientError('bad-request', `a history keeps 1 to ${MOST} ${name}, not ${number}`);
  const retention = { ...(days !== undefined && { days }), ...(messages !== undefined && { messages }) };
  transaction.set(SETTINGS, encodeRecord({ on, ...retention }));
}
