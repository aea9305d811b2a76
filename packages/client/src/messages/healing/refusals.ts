/**
 * What this device could not read and does not ask for: its sender is told (docs/spec/engines.md section 4). Table `refusals`, key
 * `refusals/DEVICE`.
 */
import { decodeBase64url, encodeBase64url } from '@sealwire/wire/base64url';
import { type RefusedMessage, UNREAD_IDS } from '@sealwire/wire/envelope';
import type { DeviceId } from '@sealwire/wire/ids';
import type { MessageRefusedEvent } from '../../events.ts';
import type { Ledger, Records, Transaction } from '../../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../../storage/record.ts';
import { LISTENED_REFUSALS, mayHappen, REFUSALS, spend } from './allowances.ts';
import type { KeptMessages } from './kept-messages.ts';

interface Refusal {
  /** Relay id, base64url. */
  readonly id: string;
  readonly statusCode: number;
}

export class Refusals {
  readonly #ledger: Ledger;
  readonly #kept: KeptMessages;
  readonly #now: () => number;

  constructor(ledger: Ledger, kept: KeptMessages, now: () => number) {
    this.#ledger = ledger;
    this.#kept = kept;
    this.#now = now;
  }

  /** A message could not be read, in the transaction that reports it. Of too many the newest are told. */
  add(transaction: Transaction, device: DeviceId, refusal: Refusal): void {
    write(transaction, device, [...refusalsIn(transaction, device), refusal].slice(-UNREAD_IDS));
  }

  /** Devices that something is to be told. */
  due(): DeviceId[] {
    return this.#ledger.keys('refusals/').map((key) => key.slice('refusals/'.length) as DeviceId);
  }

  /** What to tell the device; undefined when nothing may be told now. */
  of(device: DeviceId): readonly RefusedMessage[] | undefined {
    if (!mayHappen(this.#ledger, REFUSALS, device, this.#now())) return undefined;
    return refusalsIn(this.#ledger, device).map(({ id, statusCode }) => ({ id: decodeBase64url(id), statusCode }));
  }

  /** They are encrypted, and cost what they cost. */
  spend(transaction: Transaction, device: DeviceId): void {
    spend(transaction, REFUSALS, device, this.#now());
  }

  /** The server has taken them, or never will. */
  told(transaction: Transaction, device: DeviceId, refused: readonly RefusedMessage[]): void {
    const ids = refused.map(({ id }) => encodeBase64url(id));
    const left = refusalsIn(transaction, device).filter(({ id }) => !ids.includes(id));
    write(transaction, device, left);
  }

  /** The device refuses messages of ours: those that were for it become an event. */
  heard(transaction: Transaction, device: DeviceId, refused: readonly RefusedMessage[]): MessageRefusedEvent[] {
    const now = this.#now();
    if (refused.length === 0 || !mayHappen(transaction, LISTENED_REFUSALS, device, now)) return [];
    spend(transaction, LISTENED_REFUSALS, device, now);
    const codes = new Map(refused.map(({ id, statusCode }) => [encodeBase64url(id), statusCode]));
    const kept = this.#kept.find(transaction, [...codes.keys()]);
    const refusals = [...codes].flatMap(([relayId, statusCode]) => {
      const message = kept.get(relayId);
      return message?.devices.includes(device) ? [{ id: message.id, statusCode }] : [];
    });
    return refusals.length > 0 ? [{ kind: 'message-refused', device, refusals }] : [];
  }

  /** The device has left its account's manifest. */
  forget(transaction: Transaction, device: DeviceId): void {
    transaction.delete(keyOf(device));
  }
}

const keyOf = (device: DeviceId) => `refusals/${device}`;

function refusalsIn(records: Records, device: DeviceId): readonly Refusal[] {
  const stored = records.get(keyOf(device));
  return stored ? decodeRecord<{ refusals: readonly Refusal[] }>(stored).header.refusals : [];
}

function write(transaction: Transaction, device: DeviceId, refusals: readonly Refusal[]): void {
  if (refusals.length === 0) transaction.delete(keyOf(device));
  else transaction.set(keyOf(device), encodeRecord({ refusals }));
}
