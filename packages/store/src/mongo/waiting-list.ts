/** Who of an account waits, as the documents say together. */
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import { SUITE_NAMES } from '@sealwire/wire/lime-server';
import type { DeviceIdentity } from '@sealwire/wire/manifest';
import { trusted } from 'mongoose';
import { changeAccount } from './account-row.ts';
import { bytesOf } from './bytes.ts';
import type { PrekeyDocument } from './documents.ts';
import type { Ground } from './ground.ts';

/** What each of the devices registered, in the order of LIME's ids. */
export async function waitingIdentities(
  { engine, documents }: Ground,
  devices: readonly string[],
): Promise<Map<string, DeviceIdentity[]>> {
  const ids = devices.flatMap((device) => SUITE_NAMES.map((suite) => `${device} ${suite}`));
  if (ids.length === 0) return new Map();
  const found = await engine.read(() =>
    documents.prekeys
      .find({ _id: trusted({ $in: ids }) }, { bundle: 1 })
      .lean<PrekeyDocument[]>()
      .exec(),
  );
  const keys = new Map(found.map(({ _id, bundle }) => [_id, bundle?.identityKey]));
  return new Map(
    devices.map((device) => [
      device,
      SUITE_NAMES.flatMap((suite) => {
        const key = keys.get(`${device} ${suite}`);
        return key ? [{ suite, identityKey: bytesOf(key) } as DeviceIdentity] : [];
      }),
    ]),
  );
}

/** One that waits without keys is as if it had never been. */
export async function dropWithoutKeys(ground: Ground, device: DeviceId): Promise<void> {
  await changeAccount(ground, accountOf(device), async ({ waiting }) => {
    const isEmpty = (await waitingIdentities(ground, [device])).get(device)?.length === 0;
    if (!isEmpty || !waiting.some(({ id }) => id === device)) return { answer: undefined };
    return { answer: undefined, changes: { waiting: waiting.filter(({ id }) => id !== device) } };
  });
}
