/** Which engine a conversation chose for what is sent in it. Table `chosen-engine`, key `chosen-engine/CONVERSATION`. */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Records, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';

const keyOf = (conversation: AccountAddress) => `chosen-engine/${conversation}`;

/** Undefined: the first engine that takes a message. */
export function chosenEngine(records: Records, conversation: AccountAddress): string | undefined {
  const stored = records.get(keyOf(conversation));
  return stored && decodeRecord<{ engine: string }>(stored).header.engine;
}

export function chooseEngine(transaction: Transaction, conversation: AccountAddress, engine: string | undefined): void {
  if (engine === undefined) transaction.delete(keyOf(conversation));
  else transaction.set(keyOf(conversation), encodeRecord({ engine }));
}
