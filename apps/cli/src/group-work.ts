/** What `sealwire group` does with a client, here or in the process that has the keys (orders.ts). */
import type { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { GroupInfo } from '@sealwire/client/groups';
import type { AccountAddress } from '@sealwire/wire/ids';
import { z } from 'zod';
import { printable } from './printable.ts';
import { parseRecipient, shortName } from './recipient.ts';
import { settledWithin } from './waiting.ts';

const Name = z.string();

export const GroupOrder = z.discriminatedUnion('group', [
  z.strictObject({ group: z.literal('create'), name: Name, members: z.array(z.string()) }),
  z.strictObject({ group: z.literal('list') }),
  z.strictObject({ group: z.enum(['show', 'join', 'decline', 'leave']), name: Name }),
  z.strictObject({ group: z.literal('invite'), name: Name, members: z.array(z.string()).min(1) }),
  z.strictObject({ group: z.enum(['remove', 'promote', 'demote']), name: Name, member: z.string() }),
  z.strictObject({ group: z.literal('rename'), name: Name, subject: z.string() }),
  z.strictObject({ group: z.literal('timer'), name: Name, lifetime: z.number() }),
]);
export type GroupOrder = z.output<typeof GroupOrder>;

export interface GroupOutcome {
  readonly shown: readonly { readonly record: Record<string, unknown>; readonly text: string }[];
  readonly note?: string;
}

/** What names of groups are shown by. */
export interface GroupNames {
  readonly groups: Pick<Client['groups'], 'info'>;
}

/** s: for the messages that tell the others. */
const PATIENCE = 10;
const PREFIX = 'group:';

/** Of `-g`: how an order names a group beside `to`. */
export function groupTarget(name: string): string {
  return PREFIX + name;
}

/** The group's name in a `groupTarget`; undefined: it is an account. */
export function nameOfTarget(target: string): string | undefined {
  return target.startsWith(PREFIX) ? target.slice(PREFIX.length) : undefined;
}

/** Whom a `-t` or a `groupTarget` means. Throws `CliError` (`usage`), `no-such-group`. */
export function targetOf(client: Client, target: string): AccountAddress {
  const name = nameOfTarget(target);
  return name === undefined ? parseRecipient(target, client.address) : client.groups.info(name).address;
}

/** The name of a conversation: a group's own, or an account's. */
export function conversationName(client: Pick<Client, 'address'> & GroupNames, conversation: AccountAddress): string {
  try {
    return printable(client.groups.info(conversation).subject);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return shortName(conversation, client.address);
  }
}

/** Throws `ClientError`, `CliError`. */
export async function workOnGroups(client: Client, order: GroupOrder, interrupted: AbortSignal): Promise<GroupOutcome> {
  const { groups, address: own } = client;
  if (order.group === 'list')
    return { shown: groups.list().map((info) => ({ record: recordOf(info), text: line(info) })) };
  if (order.group === 'show') return shown(groups.info(order.name), own);
  void client.connect();
  const member = (name: string) => parseRecipient(name, own);
  let info: GroupInfo;
  if (order.group === 'create') info = await groups.create(order.name, order.members.map(member));
  else {
    const { address } = groups.info(order.name);
    if (order.group === 'invite') await groups.invite(address, order.members.map(member));
    else if (order.group === 'rename') await groups.rename(address, order.subject);
    else if (order.group === 'timer') await groups.setTimer(address, order.lifetime);
    else if ('member' in order) await groups[order.group](address, member(order.member));
    else await groups[order.group](address);
    info = groups.info(address);
  }
  const told = await settledWithin(client.emptied(), PATIENCE, interrupted);
  const note = 'the server did not take all of it in time: the others hear of it with the next send, listen or chat';
  return { ...shown(info, own), ...(told !== 'done' && { note }) };
}

function shown(info: GroupInfo, own: AccountAddress): GroupOutcome {
  const people = info.members.map(
    ({ address, role }) => `  ${shortName(address, own)}${role === 'administrator' ? ' (administrator)' : ''}`,
  );
  const invited = info.invited.map((address) => `  ${shortName(address, own)} (invited)`);
  const timer = info.lifetime > 0 ? [`  messages may be shown for ${info.lifetime} s`] : [];
  return { shown: [{ record: recordOf(info), text: [line(info), ...people, ...invited, ...timer].join('\n') }] };
}

function recordOf({ address, subject, standing, members, invited, lifetime }: GroupInfo): Record<string, unknown> {
  return { event: 'group', group: address, name: subject, standing, members, invited, lifetime };
}

function line({ subject, standing, members, address }: GroupInfo): string {
  const count = `${members.length} member${members.length === 1 ? '' : 's'}`;
  return `${printable(subject)}: ${STANDINGS[standing]}, ${count}  ${address}`;
}

const STANDINGS = {
  administrator: 'you are an administrator',
  member: 'you are a member',
  invited: 'you are invited (sealwire group join)',
  none: 'you are not in it',
} as const;
