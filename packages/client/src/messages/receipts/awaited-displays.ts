/**
 * Messages of ours whose display was asked for and has not been told by everybody (docs/spec/messages.md section 7): nothing else is
 * shown as displayed. Table `awaited`, key `awaited/CONVERSATION NUMBER`, the number in our chain there.
 */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { Records, Transaction } from '../../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';

/** Of one conversation; who displays an older one first, displays it unheard. */
export const AWAITED_DISPLAYS = 128;

export interface AwaitedDisplay {
  readonly id: string;
  /** That have not told it. */
  readonly devices: readonly DeviceId[];
}

/** A message was encrypted for `devices`, all of which are asked; the one that is too old now is forgotten. */
export function awaitDisplay(
  transaction: Transaction,
  conversation: AccountAddress,
  number: number,
  awaited: AwaitedDisplay,
): void {
  write(transaction, conversation, number, awaited);
  transaction.delete(keyOf(conversation, number - AWAITED_DISPLAYS));
}

/** The message will never be sent. */
export function forgetDisplay(transaction: Transaction, conversation: AccountAddress, number: number): void {
  transaction.delete(keyOf(conversation, number));
}

/** `device` has displayed the messages up to a number: those of which that is news. */
export function displayedUpTo(
  transaction: Transaction,
  conversation: AccountAddress,
  device: DeviceId,
  number: number,
): string[] {
  return take(transaction, conversation, device, number, () => true);
}

/** `device` has displayed the message `id`; false: that was not asked for, or is no news. `newest`: the last number that was given. */
export function displayedById(
  transaction: Transaction,
  conversation: AccountAddress,
  device: DeviceId,
  newest: number,
  id: string,
): boolean {
  return take(transaction, conversation, device, newest, (awaited) => awaited.id === id).length > 0;
}

function take(
  transaction: Transaction,
  conversation: AccountAddress,
  device: DeviceId,
  newest: number,
  isMeant: (awaited: AwaitedDisplay) => boolean,
): string[] {
  const ids: string[] = [];
  for (let number = Math.max(1, newest - AWAITED_DISPLAYS + 1); number <= newest; number++) {
    const awaited = read(transaction, conversation, number);
    if (!awaited?.devices.includes(device) || !isMeant(awaited)) continue;
    const devices = awaited.devices.filter((other) => other !== device);
    if (devices.length > 0) write(transaction, conversation, number, { ...awaited, devices });
    else transaction.delete(keyOf(conversation, number));
    ids.push(awaited.id);
  }
  return ids;
}

const keyOf = (conversation: AccountAddress, number: number) => `awaited/${conversation} ${number}`;

function read(records: Records, conversation: AccountAddress, number: number): AwaitedDisplay | undefined {
  const stored = records.get(keyOf(conversation, number));
  return stored && decodeRecord<AwaitedDisplay>(stored).header;
}

function write(
  transaction: Transaction,
  conversation: AccountAddress,
  number: number,
  { id, devices }: AwaitedDisplay,
): void {
  transaction.set(keyOf(conversation, number), encodeRecord({ id, devices }));
}
