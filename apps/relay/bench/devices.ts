/** Accounts put into a store without a login. */
import { systemRandom } from '@sealwire/crypto/random';
import type { Device, Store } from '@sealwire/store/port';
import { type DeviceId, parseAccountAddress, parseDeviceId } from '@sealwire/wire/ids';

export async function makeDevice(store: Store, name: string, domain: string, now: number): Promise<DeviceId> {
  const [id] = await makeAccount(store, name, domain, now, 1);
  return id!;
}

/** Of one account with so many devices. */
export async function makeAccount(
  store: Store,
  name: string,
  domain: string,
  now: number,
  count: number,
): Promise<DeviceId[]> {
  const address = parseAccountAddress(`sip:${name}@${domain}`);
  const devices = Array.from({ length: count }, (_, i): Device => {
    const id = parseDeviceId(`${address};gr=urn:uuid:00000000-0000-4000-8000-${String(i).padStart(12, '0')}`);
    const key = systemRandom(32);
    return { id, identities: [{ suite: 'c25519', identityKey: key }], loginKey: key, addedAt: now };
  });
  const manifest = { version: 1, bytes: systemRandom(64), signature: systemRandom(64) };
  await store.accounts.create({ address, accountKey: systemRandom(32), createdAt: now }, manifest, devices);
  return devices.map(({ id }) => id);
}
