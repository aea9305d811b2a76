/** The devices of the caller's account, listed and waiting: shown, and cut off at once. The signed manifest stays the client's business. */
import type { Announcer } from '@sealwire/service/announce';
import { Problem } from '@sealwire/service/problem';
import type { Store } from '@sealwire/store/port';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';
import type { DeviceIdentity } from '@sealwire/wire/manifest';

export interface DeviceServiceDeps {
  readonly store: Store;
  readonly announcer: Announcer;
  readonly now: () => number;
}

/** A device, or one that registered keys by app password and that no manifest names yet (docs/adr/0008-linphone-devices.md). */
export interface OwnDevice {
  readonly id: DeviceId;
  readonly state: 'listed' | 'waiting';
  readonly identities: readonly DeviceIdentity[];
  /** Of a waiting one: since when it waits. */
  readonly addedAt: number;
}

export class DeviceService {
  constructor(private readonly deps: DeviceServiceDeps) {}

  /** Oldest first, waiting ones after the listed. */
  async list(caller: DeviceId): Promise<OwnDevice[]> {
    const { devices, waiting } = this.deps.store;
    const address = accountOf(caller);
    const [own = []] = await devices.list([address]);
    const listed = own.map((device) => ({ ...device, state: 'listed' as const }));
    const others = await waiting.list(address);
    return [...listed, ...others.map((device) => ({ ...device, addedAt: device.since, state: 'waiting' as const }))];
  }

  /** A device of somebody else, a removed one and one that never was are the same 404 (case I03). */
  async remove(caller: DeviceId, device: DeviceId): Promise<void> {
    const { store, announcer, now } = this.deps;
    const account = accountOf(caller);
    if (accountOf(device) !== account) throw new Problem('not-found');
    if (await store.waiting.find(device)) {
      await store.waiting.remove(device);
      // Its owner may have admitted it this very moment: then it is a device, and goes like one.
      if (!(await store.devices.find(device))) return;
    }
    if (!(await store.devices.find(device))) throw new Problem('not-found');
    await store.devices.remove(device, now());
    await announcer.devicesRemoved([device]);
    await announcer.devicesChanged(account);
  }
}
