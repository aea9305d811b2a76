/** Accounts of the drill's sockets: as many devices each as an account may have, to which nobody writes. */
import type { ClientRuntime } from '@sealwire/client/runtime';
import { makeLightAccount, relayOf } from '@sealwire/light/account';
import { LightDevice } from '@sealwire/light/device';

export const DEVICES_EACH = 10;

/** Rejects with `Refused`. */
export async function drillAccount(
  server: string,
  name: string,
  runtime: ClientRuntime,
  invitation?: string,
): Promise<LightDevice[]> {
  const calling = { server, runtime };
  const relay = await relayOf(calling);
  const identities = await makeLightAccount(calling, name, DEVICES_EACH, invitation);
  return identities.map((identity) => new LightDevice(identity, { ...calling, relay, client: 'drill' }));
}
