/**
 * Tells the application once of each device that came to our account or left it (docs/spec/linking.md section 5): somebody who got in unasked
 * is seen on every device. Record `self/devices`: those that it has been told of.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import type { DurableEvent } from '../messages/inbox.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import { decodeRecord, encodeRecord } from '../storage/record.ts';
import { noteNewcomers } from './linking/newcomers.ts';
import type { PeerRecord } from './peer-record.ts';

const KEY = 'self/devices';

interface Told {
  readonly devices: readonly DeviceId[];
}

export interface OwnDevicesOptions {
  readonly ledger: Ledger;
  readonly me: DeviceId;
  readonly now: () => number;
  readonly inbox: { add(transaction: Transaction, event: DurableEvent): () => void };
}

/** `own`: our account as it was when this device became part of it. Of what comes after that the application is told. */
export function beginWithDevices(transaction: Transaction, own: Pick<PeerRecord, 'manifest'>): void {
  writeTold(transaction, devicesOf(own));
}

export class OwnDevices {
  readonly #options: OwnDevicesOptions;

  constructor(options: OwnDevicesOptions) {
    this.#options = options;
  }

  /** `own`: our account as it is known now. Where nothing was noted yet, by an older version of this, there is nothing to compare it with. */
  async look(own: Pick<PeerRecord, 'manifest'>): Promise<void> {
    const { ledger, me, now, inbox } = this.#options;
    const devices = devicesOf(own);
    const stored = ledger.get(KEY);
    const told = stored && decodeRecord<Told>(stored).header.devices;
    const added = told ? devices.filter((device) => device !== me && !told.includes(device)) : [];
    const removed = told?.filter((device) => !devices.includes(device)) ?? [];
    if (told && added.length + removed.length === 0) return;
    const publish = await ledger.commit((transaction) => {
      writeTold(transaction, devices);
      if (added.length + removed.length === 0) return undefined;
      noteNewcomers(transaction, added, now());
      return inbox.add(transaction, { kind: 'devices-changed', added, removed });
    });
    publish?.();
  }
}

function devicesOf({ manifest }: Pick<PeerRecord, 'manifest'>): DeviceId[] {
  return manifest.devices.map(({ id }) => id);
}

function writeTold(transaction: Transaction, devices: readonly DeviceId[]): void {
  transaction.set(KEY, encodeRecord({ devices } satisfies Told));
}
