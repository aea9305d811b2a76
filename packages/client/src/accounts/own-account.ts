/** This device's account at the server: its devices, the removal of one, the end of all. */
import { DevicesAnswer } from '@sealwire/wire/http';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { ClientError } from '../errors.ts';
import type { DeviceInfo } from '../events.ts';
import type { ClientRuntime } from '../runtime.ts';
import type { Services } from '../services.ts';
import { publishNext } from './manifest-draft.ts';

/** Of our account: those that its manifest names, and those that wait to be named. */
export async function devicesAtServer({ tokens, http, self }: Services) {
  const call = { method: 'GET', path: `${self.paths.api}/devices` } as const;
  return (await tokens.authorized((token) => http.json({ ...call, token }, DevicesAnswer))).devices;
}

export async function listDevices(services: Services): Promise<DeviceInfo[]> {
  const devices = (await devicesAtServer(services)).filter(({ state }) => state === 'listed');
  return devices.map(({ id, curves, addedAt, current }) => ({ id, suites: curves, addedAt, current }));
}

/**
 * The server cuts the device off at once; then a manifest without it tells everybody else. When the second step fails the removal is
 * repeated whole; a device that may not change the list throws `not-administrator` there, and the other one is cut off all the same. A
 * device that only waits is in no manifest, and nothing more happens. Throws `forbidden` for a device of another account,
 * `not-found` when neither server nor manifest knows the device.
 */
export async function removeDevice(services: Services, runtime: ClientRuntime, id: DeviceId): Promise<void> {
  const { http, self, book } = services;
  const { crypto, now } = runtime;
  if (accountOf(id) !== self.address)
    throw new ClientError('forbidden', 'a device of another account: only its own devices remove it');
  let absent: ClientError | undefined;
  try {
    await cutOff(services, id);
  } catch (error) {
    // Cut off before, by a call whose second step failed or by another device: the manifest may still name it.
    if (!(error instanceof ClientError && error.code === 'not-found')) throw error;
    absent = error;
  }
  let isNamed = false;
  await publishNext({ self, book, http, crypto, now }, (devices) => {
    const left = devices.filter((device) => device.id !== id);
    if (left.length === devices.length) return undefined;
    isNamed = true;
    return left;
  });
  if (absent && !isNamed) throw absent;
}

/**
 * One step: the manifest without this device cuts it off at the server, too. A device that may not change the list is cut off alone, and
 * another one takes it off. Throws `forbidden` for the only device.
 */
export async function leaveAccount(services: Services, { crypto, now }: ClientRuntime): Promise<void> {
  const { self, book, http } = services;
  if (!self.accountSeed) return cutOff(services, self.device);
  await publishNext({ self, book, http, crypto, now }, (devices) => {
    const left = devices.filter(({ id }) => id !== self.device);
    if (left.length === devices.length) return undefined;
    if (left.length === 0)
      throw new ClientError('forbidden', 'this is the only device of the account: delete the account instead');
    return left;
  });
}

async function cutOff({ tokens, http, self }: Services, id: DeviceId): Promise<void> {
  const call = { method: 'DELETE', path: `${self.paths.api}/devices/${encodeURIComponent(id)}` } as const;
  await tokens.authorized((token) => http.bytes({ ...call, token }));
}

export async function deleteAccount({ tokens, http, self }: Services): Promise<void> {
  const call = { method: 'DELETE', path: `${self.paths.api}/account` } as const;
  await tokens.authorized((token) => http.bytes({ ...call, token }));
}
