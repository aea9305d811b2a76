/** The parts of groups, over what every part of an open device works with. */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Inbox } from '../messages/inbox.ts';
import type { Outbox } from '../messages/outbox.ts';
import type { ClientRuntime } from '../runtime.ts';
import type { Services } from '../services.ts';
import type { Transaction } from '../storage/ledger.ts';
import { ClientGroups } from './client-groups.ts';
import { GroupAudiences } from './group-audiences.ts';
import { GroupLinks } from './group-links.ts';
import { GroupMail } from './group-mail.ts';
import { GroupStore } from './group-store.ts';
import { HeldMessages } from './held-messages.ts';
import { IncomingGroups } from './incoming-groups.ts';

export interface GroupsOptions {
  readonly services: Pick<Services, 'self' | 'ledger' | 'book'>;
  readonly runtime: Pick<ClientRuntime, 'crypto' | 'random' | 'now'>;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly addressOf: (name: string) => AccountAddress;
  readonly wake: () => void;
  /** As `GroupStoreOptions.met`. */
  readonly met: (transaction: Transaction, accounts: readonly AccountAddress[]) => void;
}

export interface Groups {
  readonly store: GroupStore;
  /** For the application, for what leaves, and for what comes in. */
  readonly client: ClientGroups;
  readonly audiences: GroupAudiences;
  readonly incoming: IncomingGroups;
}

export function assembleGroups({ services, runtime, inbox, outbox, addressOf, wake, met }: GroupsOptions): Groups {
  const { self, ledger, book } = services;
  const { crypto, random, now } = runtime;
  const own = self.address;
  const store = new GroupStore({ ledger, crypto, random, now, self, met });
  const mail = new GroupMail({ outbox, random, now, wake });
  const links = new GroupLinks({ store, mail, ledger, book, crypto, now, self });
  return {
    store,
    client: new ClientGroups({ store, mail, links, ledger, book, own, addressOf }),
    audiences: new GroupAudiences({ ledger, store, book, crypto, own, inbox }),
    incoming: new IncomingGroups({ store, held: new HeldMessages(ledger), mail, links, crypto, own, now }),
  };
}
