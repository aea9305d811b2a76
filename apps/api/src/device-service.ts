/** The devices of the caller's account: listed, and cut off at once. The signed manifest stays the client's business. */
import type { Announcer } from '@sealwire/service/announce';
import { Problem } from '@sealwire/service/problem';
import type { Device, Store } from '@sealwire/store/port';
import { accountOf, type DeviceId } from '@sealwire/wire/ids';

export interface DeviceServiceDeps {
  readonly store: Store;
  readonly announcer: Announcer;
  readonly now: () => number;
}

export class DeviceService {
  constructor(private readonly deps: DeviceServiceDeps) {}

  list(caller: DeviceId): Promise<Device[]> {
    return this.deps.store.devices.list(accountOf(caller));
  }

  /** A device of somebody else, a removed one and one that never was are the same 404 (case I03). */
  async remove(caller: DeviceId, device: DeviceId): Promise<void> {
    const { store, announcer, now } = this.deps;
    const account = accountOf(caller);
    if (accountOf(device) !== account || !(await store.devices.find(device))) throw new Problem('not-found');
    await store.devices.remove(device, now());
    await announcer.devicesRemoved([device]);
    await announcer.devicesChanged(account);
  }
}
