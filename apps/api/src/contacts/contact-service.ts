/**
 * What the server keeps of whom an account knows (docs/spec/contacts.md): a list that it cannot read, and the rules by which the relay keeps
 * others out. All of it is the caller's own account's: no route names another one's.
 */
import type { Announcer } from '@sealwire/service/announce';
import { Problem } from '@sealwire/service/problem';
import { type AccountRecord, type Store, StoreError } from '@sealwire/store/port';
import { ALLOWED_SALT_BYTES, CONTACT_RULES, type ContactRules, isAllowedSet, NO_RULES } from '@sealwire/wire/contacts';
import type { ContactPolicyBody, ContactsBody } from '@sealwire/wire/http';
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { z } from 'zod';

/** Others of the account may change its rules at the same time. */
const ROUNDS = 8;

export interface ContactServiceDeps {
  readonly store: Pick<Store, 'accountRecords' | 'devices'>;
  readonly announcer: Pick<Announcer, 'contactsChanged'>;
}

export class ContactService {
  constructor(private readonly deps: ContactServiceDeps) {}

  async list(caller: DeviceId): Promise<AccountRecord | undefined> {
    const [record] = await this.deps.store.accountRecords.read([accountOf(caller)], 'contact-list');
    return record;
  }

  /** Its other devices hear of it. */
  async replaceList(caller: DeviceId, { after, version, list }: z.output<typeof ContactsBody>): Promise<void> {
    const { store, announcer } = this.deps;
    const address = accountOf(caller);
    try {
      await store.accountRecords.replace(address, 'contact-list', after, { version, bytes: list });
    } catch (error) {
      throw problemOf(error, 'another version of the list is there: read it, merge, and send the result');
    }
    const [devices = []] = await store.devices.list([address]);
    const others = devices.map(({ id }) => id).filter((id) => id !== caller);
    await announcer.contactsChanged(address, version, others);
  }

  rules(caller: DeviceId): Promise<ContactRules> {
    return this.read(accountOf(caller)).then(({ rules }) => rules);
  }

  /** Of two that were made from different lists the one of the later list stays. */
  async setPolicy(
    caller: DeviceId,
    { version, policy, salt, allowed }: z.output<typeof ContactPolicyBody>,
  ): Promise<void> {
    if (![0, ALLOWED_SALT_BYTES].includes(salt.length) || !isAllowedSet(allowed))
      throw new Problem('bad-request', { detail: 'a salt of 16 bytes, and entries of eight in ascending order' });
    await this.change(caller, (rules) => {
      if (version < rules.listVersion)
        throw new Problem('conflict', { detail: 'the policy of a later list is there: read that list first' });
      // All devices make the same of one list.
      if (version === rules.listVersion) return rules;
      return { ...rules, listVersion: version, policy, salt, allowed };
    });
  }

  /** Whoever it is: that there is no such account nobody learns by it (case J08). */
  async block(caller: DeviceId, address: AccountAddress): Promise<void> {
    if (address === accountOf(caller)) throw new Problem('forbidden', { detail: 'this is your own account' });
    await this.change(caller, (rules) => {
      if (rules.blocked.includes(address)) return rules;
      const most = LIMITS.blocksPerAccount.value;
      if (rules.blocked.length >= most)
        throw new Problem('limit-reached', { detail: `an account blocks at most ${most} others: unblock one first` });
      return { ...rules, blocked: [...rules.blocked, address] };
    });
  }

  async unblock(caller: DeviceId, address: AccountAddress): Promise<void> {
    await this.change(caller, (rules) =>
      rules.blocked.includes(address)
        ? { ...rules, blocked: rules.blocked.filter((other) => other !== address) }
        : rules,
    );
  }

  private async read(address: AccountAddress): Promise<{ version: number; rules: ContactRules }> {
    const [record] = await this.deps.store.accountRecords.read([address], 'contact-rules');
    if (!record) return { version: 0, rules: NO_RULES };
    return { version: record.version, rules: CONTACT_RULES.decode(record.bytes, 'bad-record') };
  }

  /** Again and again, until nobody else came between. The relay's nodes forget what they knew. */
  private async change(caller: DeviceId, next: (rules: ContactRules) => ContactRules): Promise<void> {
    const { store, announcer } = this.deps;
    const address = accountOf(caller);
    for (let round = 0; round < ROUNDS; round++) {
      const { version, rules } = await this.read(address);
      const changed = next(rules);
      // A repeat, whose first attempt may have been answered by nobody: the nodes may not have heard of it.
      if (changed === rules) return announcer.contactsChanged(address, 0, []);
      try {
        const record = { version: version + 1, bytes: CONTACT_RULES.encode(changed) };
        await store.accountRecords.replace(address, 'contact-rules', version, record);
      } catch (error) {
        if (error instanceof StoreError && error.kind === 'conflict') continue;
        throw error;
      }
      return announcer.contactsChanged(address, 0, []);
    }
    throw new Problem('unavailable', { detail: 'other devices of the account change the same thing: try again' });
  }
}

function problemOf(error: unknown, detail: string): unknown {
  if (!(error instanceof StoreError) || error.kind !== 'conflict') return error;
  return new Problem('conflict', { detail }, { cause: error });
}
