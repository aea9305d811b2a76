/**
 * Which devices an account has, remembered for a moment: what a send to "all devices" is compared with (delivery; cases E01, E02).
 * A bus message makes it forget at once; without the bus it forgets by itself.
 */
import type { Devices } from '@sealwire/store/port';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { LRUCache } from 'lru-cache';

const ACCOUNTS = 20_000;

interface Known {
  readonly devices: ReadonlySet<DeviceId>;
  readonly until: number;
}

export class AccountDevices {
  private readonly known = new LRUCache<AccountAddress, Known>({ max: ACCOUNTS });
  /** Counts forgettings, so that an answer that was on its way meanwhile is not remembered. */
  private forgotten = 0;

  constructor(
    private readonly devices: Pick<Devices, 'list'>,
    private readonly lifeMs: number,
    private readonly now: () => number,
  ) {}

  remembered(account: AccountAddress): ReadonlySet<DeviceId> | undefined {
    const known = this.known.get(account);
    return known && known.until > this.now() ? known.devices : undefined;
  }

  /** Asks the store. Rejects with its error. */
  async load(account: AccountAddress): Promise<ReadonlySet<DeviceId>> {
    const { forgotten } = this;
    const list = await this.devices.list(account);
    const devices = new Set(list.map(({ id }) => id));
    if (forgotten === this.forgotten) this.known.set(account, { devices, until: this.now() + this.lifeMs });
    return devices;
  }

  forget(account: AccountAddress): void {
    this.forgotten++;
    this.known.delete(account);
  }
}
