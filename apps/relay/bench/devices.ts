/** Accounts of one device each, put into a store without a login. */
import { systemRandom } from '@sealwire/crypto/random';
import type { Device, Store } from '@sealwire/store/port';
import { type DeviceId, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';

export async function makeDevice(store: Store, name: string, domain: string, now: number): Promise<DeviceId> {
  const address = parseAccountAddress(`sip:${name}@${domain}`);
  const id = parseDeviceId(`${address};gr=urn:uuid:00000000-0000-4000-8000-000000000000`);
  const key = systemRandom(32);
  const device: Device = { id, identities: [{ suite: 'c25519', identityKey: key }], loginKey: key, addedAt: now };
  const manifest = { version: 1, bytes: systemRandom(64), signature: systemRandom(64) };
  await store.accounts.create({ address, accountKey: systemRandom(32), createdAt: now }, manifest, [device]);
  return id;
}
