/** What could not be read, and new sessions by the user's word (docs/spec/healing.md section 6). */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { PeerBook } from '../../accounts/peer-book.ts';
import type { Unread } from '../../events.ts';
import type { Ledger } from '../../storage/ledger.ts';
import type { UnreadMessages } from './unread-messages.ts';

export interface ClientSessionsOptions {
  readonly ledger: Ledger;
  readonly book: PeerBook;
  readonly unread: UnreadMessages;
  readonly me: DeviceId;
  readonly addressOf: (to: string) => AccountAddress;
  /** Something is to be asked of a device of `to`. */
  readonly heal: (to: AccountAddress) => void;
}

export class ClientSessions {
  readonly #options: ClientSessionsOptions;

  constructor(options: ClientSessionsOptions) {
    this.#options = options;
  }

  /** Messages that could not be read and have not come again. Asks nobody. */
  unread(): Unread[] {
    return this.#options.unread.list();
  }

  /**
   * Begins new sessions with all devices of an account, now or with the next connection, and asks once more for what of theirs could not be
   * read. Answers the devices. Throws as `ClientTrust.peer` does.
   */
  async reset(address: string): Promise<readonly DeviceId[]> {
    const { unread, book, ledger, me, addressOf, heal } = this.#options;
    const peer = await book.refresh(addressOf(address));
    const devices = peer.manifest.devices.filter(({ id }) => id !== me);
    await ledger.commit((transaction) => {
      for (const { id, loginKey } of devices) unread.reset(transaction, id, loginKey.length > 0);
    });
    heal(peer.address);
    return devices.map(({ id }) => id);
  }
}
