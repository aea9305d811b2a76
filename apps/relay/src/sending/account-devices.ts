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
  /** When they were asked for. */
  at: number;
}

export class AccountDevices {
  private readonly known = new LRUCache<AccountAddress, Known>({
    max: ACCOUNTS,
    // For whoever finds it by its device.
    dispose: (known) => {
      known.at = Number.NEGATIVE_INFINITY;
    },
  });
  /** The same by device, of accounts that have only one. Asked for every message, so that it keeps no order of use. */
  private readonly single = new Map<DeviceId, Known>();
  /** Counts forgettings, so that an answer that was on its way meanwhile is not remembered. */
  private forgotten = 0;

  constructor(
    private readonly devices: Pick<Devices, 'list'>,
    private readonly lifeMs: number,
    private readonly now: () => number,
  ) {}

  remembered(account: AccountAddress): ReadonlySet<DeviceId> | undefined {
    const known = this.known.get(account);
    return known && this.isFresh(known) ? known.devices : undefined;
  }

  /** Whether this is known to be the one device of its account: the commonest recipient, judged without looking at its name. */
  isSingle(device: DeviceId): boolean {
    const known = this.single.get(device);
    return known !== undefined && this.isFresh(known);
  }

  /** Asks the store. Rejects with its error. */
  async load(accounts: readonly AccountAddress[]): Promise<ReadonlyMap<AccountAddress, ReadonlySet<DeviceId>>> {
    const { forgotten } = this;
    const at = this.now();
    const lists = await this.devices.list(accounts);
    const loaded = new Map<AccountAddress, ReadonlySet<DeviceId>>();
    for (const [i, account] of accounts.entries()) {
      const devices = new Set(lists[i]?.map(({ id }) => id));
      loaded.set(account, devices);
      if (forgotten === this.forgotten) this.remember(account, devices, at);
    }
    return loaded;
  }

  private remember(account: AccountAddress, devices: ReadonlySet<DeviceId>, at: number): void {
    const known = { devices, at };
    this.known.set(account, known);
    if (this.single.size >= ACCOUNTS) this.single.clear();
    if (devices.size === 1) for (const device of devices) this.single.set(device, known);
  }

  /** What was asked for in the future, a clock that was ahead has dated. */
  private isFresh({ at }: Known): boolean {
    const age = this.now() - at;
    return age >= 0 && age < this.lifeMs;
  }

  forget(account: AccountAddress): void {
    this.forgotten++;
    this.known.delete(account);
  }
}
