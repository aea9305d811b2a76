/**
 * Which devices an account has, and whom it lets write to them, remembered for a moment: what a send to "all devices" is compared with
 * (delivery; cases E01, E02).
 * A bus message makes it forget at once; without the bus it forgets by itself.
 */
import { readStandings } from '@sealwire/store/operator';
import type { Room, Store } from '@sealwire/store/port';
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { LRUCache } from 'lru-cache';
import { type AccountRules, accountRules } from './contact-rules.ts';

const ACCOUNTS = 20_000;
/** Of the rules of all of them. */
const RULES_BYTES = 64 << 20;

/** An account as the store has it. */
export interface KnownAccount {
  readonly devices: ReadonlySet<DeviceId>;
  /** Undefined: everybody may write to it. */
  readonly rules: AccountRules | undefined;
  /** What may wait for it, in the place of the setting. */
  readonly mail: Partial<Room> | undefined;
}

interface Known extends KnownAccount {
  /** When they were asked for. */
  at: number;
}

export class AccountDevices {
  private readonly known = new LRUCache<AccountAddress, Known>({
    maxSize: RULES_BYTES,
    // Many that have none are bounded too; by `max` the library would set room aside for all of them when it is made.
    sizeCalculation: ({ rules }) => Math.ceil(RULES_BYTES / ACCOUNTS) + (rules?.bytes ?? 0),
    // For whoever finds it by its device.
    dispose: (known) => {
      known.at = Number.NEGATIVE_INFINITY;
    },
  });
  /** The same by device, of accounts that have only one, hear everybody and have the quota of everybody. Asked for every message, so that it keeps no order of use. */
  private readonly single = new Map<DeviceId, Known>();
  /** Counts forgettings, so that an answer that was on its way meanwhile is not remembered. */
  private forgotten = 0;

  constructor(
    private readonly store: {
      readonly devices: Pick<Store['devices'], 'list'>;
      readonly accountRecords: Pick<Store['accountRecords'], 'read'>;
      readonly operatorRecords: Pick<Store['operatorRecords'], 'read'>;
    },
    private readonly lifeMs: number,
    private readonly now: () => number,
  ) {}

  remembered(account: AccountAddress): KnownAccount | undefined {
    const known = this.known.get(account);
    return known && this.isFresh(known) ? known : undefined;
  }

  /** Whether this is known to be the one device of such an account: the commonest recipient, judged without looking at its name. */
  isSingle(device: DeviceId): boolean {
    const known = this.single.get(device);
    return known !== undefined && this.isFresh(known);
  }

  /** Asks the store. Rejects with its error. */
  async load(accounts: readonly AccountAddress[]): Promise<ReadonlyMap<AccountAddress, KnownAccount>> {
    const { forgotten } = this;
    const at = this.now();
    const { devices, accountRecords } = this.store;
    const [lists, records, standings] = await Promise.all([
      devices.list(accounts),
      accountRecords.read(accounts, 'contact-rules'),
      readStandings(this.store, accounts),
    ]);
    const loaded = new Map<AccountAddress, KnownAccount>();
    for (const [i, account] of accounts.entries()) {
      const known = {
        devices: new Set(lists[i]?.map(({ id }) => id)),
        rules: accountRules(records[i]?.bytes),
        mail: standings[i]?.mail,
      };
      loaded.set(account, known);
      if (forgotten === this.forgotten) this.remember(account, known, at);
    }
    return loaded;
  }

  private remember(account: AccountAddress, { devices, rules, mail }: KnownAccount, at: number): void {
    const known = { devices, rules, mail, at };
    this.known.set(account, known);
    if (this.single.size >= ACCOUNTS) this.single.clear();
    if (devices.size === 1 && !rules && !mail) for (const device of devices) this.single.set(device, known);
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
