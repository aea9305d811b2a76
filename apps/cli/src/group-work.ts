/** What `sealwire group` does with a client, here or in the process that has the keys (orders.ts). */
import type { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { GroupInfo } from '@sealwire/client/groups';
import type { FileDescriptor } from '@sealwire/wire/file-descriptor';
import type { AccountAddress } from '@sealwire/wire/ids';
import { z } from 'zod';
import { CliError } from './exit-codes.ts';
import { fileTitle } from './files/file-title.ts';
import { fileToSend, uploadFor } from './files/send-file.ts';
import { printable } from './printable.ts';
import { parseRecipient, shortName } from './recipient.ts';
import { settledWithin } from './waiting.ts';

const Name = z.string();

export const GroupOrder = z.discriminatedUnion('group', [
  z.strictObject({ group: z.literal('create'), name: Name, members: z.array(z.string()) }),
  z.strictObject({ group: z.literal('list') }),
  z.strictObject({ group: z.literal('show'), name: Name }),
  z.strictObject({ group: z.enum(['join', 'decline', 'leave']), name: Name }),
  z.strictObject({ group: z.literal('invite'), name: Name, members: z.array(z.string()).min(1) }),
  z.strictObject({ group: z.enum(['remove', 'promote', 'demote']), name: Name, member: z.string() }),
  z.strictObject({ group: z.literal('rename'), name: Name, subject: z.string() }),
  /** An absolute path; absent: none. */
  z.strictObject({ group: z.literal('picture'), name: Name, path: z.string().optional() }),
  z.strictObject({ group: z.literal('timer'), name: Name, lifetime: z.number() }),
  z.strictObject({
    group: z.literal('link'),
    name: Name,
    expiresAt: z.number().optional(),
    uses: z.number().optional(),
  }),
  z.strictObject({ group: z.literal('revoke'), name: Name, link: z.string() }),
]);
export type GroupOrder = z.output<typeof GroupOrder>;
type ChangeOrder = Exclude<GroupOrder, { group: 'list' | 'show' }>;

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
/** How invite links begin. */
const LINK_PREFIX = 'sealwire-group-1:';

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
  const done = await change(client, order, interrupted);
  const told = await settledWithin(client.outbox.emptied(), PATIENCE, interrupted);
  const note = 'the server did not take all of it in time: the others hear of it with the next send, listen or chat';
  return { ...done, ...(told !== 'done' && { note }) };
}

async function change(client: Client, order: ChangeOrder, interrupted: AbortSignal): Promise<GroupOutcome> {
  const { groups, address: own } = client;
  const member = (name: string) => parseRecipient(name, own);
  if (order.group === 'create') return shown(await groups.create(order.name, order.members.map(member)), own);
  if (order.group === 'join' && order.name.startsWith(LINK_PREFIX)) {
    const group = await groups.joinByLink(order.name);
    const text = 'asked to be let in: you are in once a device of who made the link has answered (listen, chat)';
    return { shown: [{ record: { event: 'group-asked', group }, text }] };
  }
  const { address, subject } = groups.info(order.name);
  if (order.group === 'link') {
    const { expiresAt, uses } = order;
    const bounds = { ...(expiresAt !== undefined && { expiresAt }), ...(uses !== undefined && { uses }) };
    const link = await groups.makeLink(address, bounds);
    return { shown: [{ record: { event: 'group-link', group: address, name: subject, link }, text: link }] };
  }
  if (order.group === 'invite') await groups.invite(address, order.members.map(member));
  else if (order.group === 'rename') await groups.rename(address, order.subject);
  else if (order.group === 'picture')
    await groups.setPicture(
      address,
      order.path === undefined ? undefined : await pictureAt(client, order.path, address, interrupted),
    );
  else if (order.group === 'timer') await groups.setTimer(address, order.lifetime);
  else if (order.group === 'revoke') await groups.revokeLink(address, order.link);
  else if ('member' in order) await groups[order.group](address, member(order.member));
  else await groups[order.group](address);
  return shown(groups.info(address), own);
}

/** Uploaded for the group. Throws `CliError` (`usage`) for what is no picture. */
async function pictureAt(
  client: Client,
  path: string,
  group: AccountAddress,
  signal: AbortSignal,
): Promise<FileDescriptor> {
  const file = await fileToSend(path);
  if (!file.type.startsWith('image/')) throw new CliError('usage', `${path} is no picture, by its name (${file.type})`);
  return uploadFor(client, file, [group], { signal, onProgress: () => {} });
}

function shown(info: GroupInfo, own: AccountAddress): GroupOutcome {
  const people = info.members.map(
    ({ address, role }) => `  ${shortName(address, own)}${role === 'administrator' ? ' (administrator)' : ''}`,
  );
  const invited = info.invited.map((address) => `  ${shortName(address, own)} (invited)`);
  const picture = info.picture ? [`  picture: ${fileTitle(info.picture)}`] : [];
  const timer = info.lifetime > 0 ? [`  messages may be shown for ${info.lifetime} s`] : [];
  const links = info.links.map(
    ({ id, used, uses }) => `  link ${id}: ${used}${uses === undefined ? '' : ` of ${uses}`} joined by it`,
  );
  return {
    shown: [
      { record: recordOf(info), text: [line(info), ...people, ...invited, ...picture, ...timer, ...links].join('\n') },
    ],
  };
}

function recordOf({
  address,
  subject,
  standing,
  members,
  invited,
  lifetime,
  links,
  picture,
}: GroupInfo): Record<string, unknown> {
  const shownPicture = picture && { name: picture.name, type: picture.type, size: picture.size };
  const record = { event: 'group', group: address, name: subject, standing, members, invited, lifetime, links };
  return { ...record, ...(shownPicture && { picture: shownPicture }) };
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
