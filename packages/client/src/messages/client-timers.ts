/** How long messages of a conversation may be shown, as the application sets it (docs/spec/messages.md section 6). */
import { isGroupAddress } from '@sealwire/wire/group-address';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { ClientError } from '../errors.ts';
import type { ClientGroups } from '../groups/client-groups.ts';
import type { Ledger } from '../storage/ledger.ts';
import { checkLifetime, pairTimer, TIMERS } from './conversation-timer.ts';

export interface ClientTimersOptions {
  readonly ledger: Ledger;
  readonly groups: Pick<ClientGroups, 'info' | 'setTimer'>;
  readonly addressOf: (to: string) => AccountAddress;
  readonly now: () => number;
  /** Tells the other devices. */
  readonly share: () => void;
}

export class ClientTimers {
  readonly #options: ClientTimersOptions;

  constructor(options: ClientTimersOptions) {
    this.#options = options;
  }

  /** Seconds that what is written to `to` from now on may be shown, there and here; 0: no end. Of a group it is the group's. Throws `bad-address`. */
  get(to: string): number {
    const { ledger, groups, addressOf } = this.#options;
    const address = addressOf(to);
    return isGroupAddress(address) ? groups.info(address).lifetime : pairTimer(ledger, address);
  }

  /** Durable, for all devices of the account (`timer-changed` on the others); of a group for all members (`ClientGroups.setTimer`). Throws `bad-address`, `bad-request`, `limit-reached`. */
  async set(to: string, lifetime: number): Promise<void> {
    const { ledger, groups, addressOf, now, share } = this.#options;
    const address = addressOf(to);
    if (isGroupAddress(address)) return groups.setTimer(address, lifetime);
    checkLifetime(lifetime);
    await ledger.commit((transaction) => {
      // One that was left out would end without a word.
      if (lifetime > 0 && TIMERS.isFull(transaction, address))
        throw new ClientError(
          'limit-reached',
          `${LIMITS.timersPerAccount.value} conversations have a timer: set one of them to 0 first`,
        );
      TIMERS.say(transaction, { address, lifetime }, now());
    });
    share();
  }
}
