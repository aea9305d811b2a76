/** What `contacts`, `block`, `unblock` and `blocks` do, in this process or in the one that has the keys (orders.ts). */
import type { Client } from '@sealwire/client/client';
import type { Contact, ContactPolicy, ContactRequest } from '@sealwire/client/contacts';
import { ClientError } from '@sealwire/client/errors';
import type { AccountAddress } from '@sealwire/wire/ids';
import { z } from 'zod';
import { CliError } from './exit-codes.ts';
import { parseRecipient } from './recipient.ts';

const Whom = { of: z.string() };
const Words = { name: z.string().optional(), note: z.string().optional() };

export const ContactOrder = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('list') }),
  z.strictObject({ do: z.literal('add'), ...Whom, ...Words }),
  z.strictObject({ do: z.literal('remove'), ...Whom }),
  z.strictObject({ do: z.literal('rename'), ...Whom, name: z.string() }),
  z.strictObject({ do: z.literal('requests') }),
  z.strictObject({ do: z.literal('accept'), ...Whom, ...Words }),
  z.strictObject({ do: z.literal('decline'), ...Whom }),
  z.strictObject({ do: z.literal('policy'), policy: z.enum(['everyone', 'requests', 'contacts']).optional() }),
  z.strictObject({ do: z.literal('blocks') }),
  z.strictObject({ do: z.literal('block'), ...Whom }),
  z.strictObject({ do: z.literal('unblock'), ...Whom }),
]);
export type ContactOrder = z.output<typeof ContactOrder>;

/** A record as `--json` prints it. */
export type ContactRecord =
  | ({ readonly event: 'contact' } & Pick<Contact, 'address' | 'name' | 'note'>)
  | {
      readonly event: 'contact-removed' | 'request-declined' | 'blocked' | 'unblocked';
      readonly address: AccountAddress;
    }
  | ({ readonly event: 'contact-request' } & ContactRequest)
  | { readonly event: 'contact-policy'; readonly policy: ContactPolicy };

export interface ContactOutcome {
  readonly own: AccountAddress;
  readonly records: readonly ContactRecord[];
  /** Why the server and the other devices do not have it yet, or what they have is not here. */
  readonly offline?: string;
}

/** Throws `CliError`, `ClientError`. */
export async function carryOutContacts(client: Client, order: ContactOrder): Promise<ContactOutcome> {
  const own = client.address;
  const { contacts, blocks } = client;
  const whom = 'of' in order ? parseRecipient(order.of, own, '') : own;
  switch (order.do) {
    case 'blocks':
      return { own, records: (await blocks.list()).map((address) => ({ event: 'blocked', address })) };
    case 'block':
      return { own, records: [{ event: 'blocked', address: await blocks.add(whom) }] };
    case 'unblock':
      return { own, records: [{ event: 'unblocked', address: await blocks.remove(whom) }] };
    case 'requests':
      return { own, records: contacts.requests().map((request) => ({ event: 'contact-request', ...request })) };
    case 'decline':
      await contacts.decline(whom);
      return { own, records: [{ event: 'request-declined', address: whom }] };
    case 'list': {
      const offline = await syncedOrWhyNot(client);
      return { own, records: contacts.list().map(contactRecord), ...offline };
    }
    case 'add':
    case 'accept': {
      const { name, note } = order;
      const words = { ...(name !== undefined && { name }), ...(note !== undefined && { note }) };
      const contact = await (order.do === 'add' ? contacts.add(whom, words) : contacts.accept(whom, words));
      return { own, records: [contactRecord(contact)], ...(await syncedOrWhyNot(client)) };
    }
    case 'rename':
      return {
        own,
        records: [contactRecord(await contacts.rename(whom, order.name))],
        ...(await syncedOrWhyNot(client)),
      };
    case 'remove':
      await contacts.remove(whom);
      return { own, records: [{ event: 'contact-removed', address: whom }], ...(await syncedOrWhyNot(client)) };
    case 'policy': {
      if (order.policy) await contacts.setPolicy(order.policy);
      const offline = await syncedOrWhyNot(client);
      return { own, records: [{ event: 'contact-policy', policy: contacts.policy() }], ...offline };
    }
  }
}

function contactRecord({ address, name, note }: Contact): ContactRecord {
  return { event: 'contact', address, name, note };
}

/** What can be made good later is no failure of what is durable here. */
async function syncedOrWhyNot({ contacts }: Client): Promise<{ readonly offline?: string }> {
  try {
    await contacts.synced();
    return {};
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (!error.retryable) throw new CliError('failure', error.message);
    return { offline: error.message };
  }
}
