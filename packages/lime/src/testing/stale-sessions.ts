/** What liblime's `stale_sessions` does, and no product of ours needs: the next message to `peer` begins a new session. */
import type { CryptoProvider } from '@sealwire/crypto/port';
import type { DeviceId } from '@sealwire/wire/ids';
import { retired } from '../messages/session-turns.ts';
import { Records } from '../records/records.ts';
import type { LimeStore } from '../records/store.ts';
import { type LimeSettings, limeSettings } from '../settings.ts';

export interface StoreOwner {
  readonly crypto: CryptoProvider;
  readonly store: LimeStore;
  readonly now: () => number;
  readonly settings?: Partial<LimeSettings>;
}

export function staleSessions({ crypto, store, now, settings }: StoreOwner, me: DeviceId, peer: DeviceId): void {
  const records = new Records(crypto, store);
  const active = records.findActiveSession(me, peer);
  if (active) records.save(retired({ crypto, records, now, settings: limeSettings(settings) }, me, peer, active));
}
