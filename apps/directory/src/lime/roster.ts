/** Which devices there are: the directory serves and accepts keys of these only, under the identities that their manifest names. */
import type { CurveName } from '@sealwire/crypto/port';
import type { Store } from '@sealwire/store/port';
import type { DeviceId } from '@sealwire/wire/ids';

export interface Roster {
  exists(device: DeviceId): Promise<boolean>;
  /** Whether the device's manifest names this identity key on this curve (cases D10, S10). */
  hasIdentity(device: DeviceId, curve: CurveName, identityKey: Uint8Array): Promise<boolean>;
}

export function storeRoster(store: Pick<Store, 'devices'>): Roster {
  return {
    exists: async (device) => (await store.devices.find(device)) !== undefined,
    async hasIdentity(device, curve, identityKey) {
      const known = (await store.devices.find(device))?.identities.find((identity) => identity.curve === curve);
      return known !== undefined && Buffer.compare(known.identityKey, identityKey) === 0;
    },
  };
}
