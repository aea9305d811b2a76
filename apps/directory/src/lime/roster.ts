/**
 * Under which identity keys a device may register: those that its account's manifest names. That only devices which exist have bundles is
 * the store's promise: it registers keys of no other, and removes them with the device, each in one transaction.
 */
import type { SuiteName } from '@sealwire/crypto/port';
import type { Store } from '@sealwire/store/port';
import type { DeviceId } from '@sealwire/wire/ids';

export interface Roster {
  /** Whether the device's manifest names this identity key on this curve (cases D10, S10). */
  hasIdentity(device: DeviceId, curve: SuiteName, identityKey: Uint8Array): Promise<boolean>;
}

export function storeRoster(store: Pick<Store, 'devices'>): Roster {
  return {
    async hasIdentity(device, curve, identityKey) {
      const known = (await store.devices.find(device))?.identities.find((identity) => identity.curve === curve);
      return known !== undefined && Buffer.compare(known.identityKey, identityKey) === 0;
    },
  };
}
