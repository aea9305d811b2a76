/**
 * LIME devices that registered with an app password of this account and wait to be named in its manifest (docs/adr/0008): until the owner
 * admits one, nobody's SDK writes to it. Its identity keys are what the owner compares, on the device itself.
 */

import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { DeviceIdentity } from '@sealwire/wire/manifest';
import { ClientError } from '../errors.ts';
import type { ClientRuntime } from '../runtime.ts';
import type { Services } from '../services.ts';
import { publishNext } from './manifest-draft.ts';
import { devicesAtServer } from './own-account.ts';

export interface WaitingDevice {
  readonly id: DeviceId;
  /** As the device registered them: the server's word until somebody has compared them. */
  readonly identities: readonly DeviceIdentity[];
  /** Since when it waits, ms. */
  readonly since: number;
}

/** A LIME device has no key to answer login challenges with: it comes in by app password. */
const NO_LOGIN_KEY = new Uint8Array(0);

export async function waitingDevices(services: Services): Promise<WaitingDevice[]> {
  const devices = (await devicesAtServer(services)).filter(({ state }) => state === 'waiting');
  return devices.map(({ id, identities, addedAt }) => ({
    id,
    identities: identities.map(({ curve, identityKey }) => ({ suite: curve, identityKey })),
    since: addedAt,
  }));
}

/**
 * Publishes the next manifest with the device under exactly these identity keys: those that the user has seen, whatever the server says by
 * now. A device that the manifest names already with the same keys is no error. Throws `not-found` when none waits under this id,
 * `identity-mismatch` when it registered other keys, `forbidden` for another account's.
 */
export async function admitDevice(
  services: Services,
  runtime: ClientRuntime,
  id: DeviceId,
  identities: readonly DeviceIdentity[],
): Promise<void> {
  const { self, book, http } = services;
  const { crypto, now } = runtime;
  if (accountOf(id) !== self.address)
    throw new ClientError('forbidden', 'a device of another account: only its own devices admit it');
  const isSame = (others: readonly DeviceIdentity[]) =>
    others.length === identities.length &&
    identities.every(({ suite, identityKey }) =>
      others.some((other) => other.suite === suite && crypto.equal(other.identityKey, identityKey)),
    );
  const waiting = (await waitingDevices(services)).find((device) => device.id === id);
  if (waiting && !isSame(waiting.identities)) throw otherKeys(id);
  await publishNext({ self, book, http, crypto, now }, (devices) => {
    const named = devices.find((device) => device.id === id);
    if (named && !isSame(named.identities)) throw otherKeys(id);
    if (named) return undefined;
    if (!waiting)
      throw new ClientError(
        'not-found',
        `no device ${id} waits: did it register with an app password of this account?`,
      );
    return [...devices, { id, identities, loginKey: NO_LOGIN_KEY, addedAt: now() }];
  });
}

function otherKeys(id: DeviceId): ClientError {
  return new ClientError('identity-mismatch', `${id} has registered other keys than these: look at it again`);
}
