/**
 * Devices that a message was not for, though the signed lists name them, because of what the server says or policy wants
 * (docs/spec/client.md section 5): the application hears of each once, until it is served again. Table `skipped`, key `skipped/DEVICE`.
 */
import { accountOf, type DeviceId, nameOf } from '@sealwire/wire/ids';
import type { SkippedReason } from '../events.ts';
import type { Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';
import type { DurableEvent } from './inbox.ts';
import type { OutboxEntry, SkippedDevice } from './outbox.ts';

const BECAUSE: Record<SkippedReason, string> = {
  'said-gone': 'the server says that it is gone, though its account’s signed list names it',
  'no-keys': 'the server has no keys of it',
  'bad-keys': 'the keys that the server shows for it are not good',
  'no-common-suite': 'it has no suite in common with this device',
  unsafe: 'it is unsafe, until you trust it again or accept its new key',
  untrusted: 'it is not trusted, and only trusted devices are sent to',
  uncertified: 'its account is not certified by this deployment',
};

const KEPT_OUT: readonly SkippedReason[] = ['unsafe', 'untrusted', 'uncertified'];

/** What is news of an attempt that the server has taken; `served`: whom it is for. */
export function skippedEvents(
  transaction: Transaction,
  { id, to }: OutboxEntry,
  skipped: readonly SkippedDevice[],
  served: readonly DeviceId[],
): DurableEvent[] {
  for (const device of served) if (transaction.get(keyOf(device))) transaction.delete(keyOf(device));
  return skipped.flatMap(({ device, reason }): DurableEvent[] => {
    const stored = transaction.get(keyOf(device));
    if (stored && decodeRecord<{ reason: SkippedReason }>(stored).header.reason === reason) return [];
    transaction.set(keyOf(device), encodeRecord({ reason }));
    const text = `a device of ${nameOf(accountOf(device))} does not get the message (${device}): ${BECAUSE[reason]}`;
    return [{ kind: 'device-skipped', id, to, device, reason, text }];
  });
}

/** Those that policy keeps out. */
export function keptOutOf(skipped: readonly SkippedDevice[]): SkippedDevice[] {
  return skipped.filter(({ reason }) => KEPT_OUT.includes(reason));
}

/** The device has left its account's manifest. */
export function forgetSkipped(transaction: Transaction, device: DeviceId): void {
  transaction.delete(keyOf(device));
}

const keyOf = (device: DeviceId) => `skipped/${device}`;
