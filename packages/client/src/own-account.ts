/** This device's account at the server: its devices, the removal of one, the end of all. */
import { DevicesAnswer } from '@sealwire/wire/http';
import { accountOf, type DeviceId, parseDeviceId } from '@sealwire/wire/ids';
import { ClientError } from './errors.ts';
import type { DeviceInfo } from './events.ts';
import { publishNext } from './manifest-draft.ts';
import type { ClientRuntime } from './runtime.ts';
import type { Services } from './services.ts';

export async function listDevices({ tokens, http, self }: Services): Promise<DeviceInfo[]> {
  const call = { method: 'GET', path: `${self.paths.api}/devices` } as const;
  const answer = await tokens.authorized((token) => http.json({ ...call, token }, DevicesAnswer));
  return answer.devices.map((device) => ({ ...device, id: parseDeviceId(device.id) }));
}

/**
 * The server cuts the device off at once; then a manifest without it tells everybody else. When the second step fails the removal is
 * repeated whole: the first is idempotent. Throws `forbidden` for a device of another account.
 */
export async function removeDevice(services: Services, runtime: ClientRuntime, id: DeviceId): Promise<void> {
  const { tokens, http, self, book } = services;
  const { crypto, now } = runtime;
  if (accountOf(id) !== self.address)
    throw new ClientError('forbidden', 'a device of another account: only its own devices remove it');
  const call = { method: 'DELETE', path: `${self.paths.api}/devices/${encodeURIComponent(id)}` } as const;
  await tokens.authorized((token) => http.bytes({ ...call, token }));
  await publishNext({ self, book, http, crypto, now }, (devices) => {
    const left = devices.filter((device) => device.id !== id);
    return left.length < devices.length ? left : undefined;
  });
}

export async function deleteAccount({ tokens, http, self }: Services): Promise<void> {
  const call = { method: 'DELETE', path: `${self.paths.api}/account` } as const;
  await tokens.authorized((token) => http.bytes({ ...call, token }));
}
