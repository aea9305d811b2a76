/** What `presence` does to a device, in this process or in the one that has the keys, and what of others is shown (docs/spec/presence.md). */
import type { Client } from '@sealwire/client/client';
import type { PresenceState } from '@sealwire/client/presence';
import type { AccountAddress } from '@sealwire/wire/ids';
import { z } from 'zod';
import { CliError } from './exit-codes.ts';
import { conversationName } from './group-work.ts';
import type { Output } from './output.ts';
import { parseRecipient, shortName } from './recipient.ts';

export const PRESENCE_ACTIONS = ['on', 'off', 'show', 'away', 'back'] as const;

export const PresenceOrder = z.strictObject({
  /** Absent: nothing changes. */
  action: z.enum(PRESENCE_ACTIONS).optional(),
  /** Of `on` and `off`; absent: both. */
  only: z.enum(['online', 'typing']).optional(),
  /** Of `show`. */
  to: z.array(z.string()),
});
export type PresenceOrder = z.output<typeof PresenceOrder>;

export interface PresenceReport {
  readonly own: AccountAddress;
  readonly online: boolean;
  readonly typing: boolean;
  /** To whom this device shows itself; null: it is not connected. */
  readonly peers: readonly { readonly account: AccountAddress; readonly state: PresenceState | null }[];
}

/** Answers what is so then. Throws `CliError`, `ClientError`. */
export async function changePresence(client: Client, { action, only, to }: PresenceOrder): Promise<PresenceReport> {
  const { presence, address: own } = client;
  if (action === 'on' || action === 'off') {
    const names = only === undefined ? (['online', 'typing'] as const) : [only];
    await presence.set(Object.fromEntries(names.map((name) => [name, action === 'on'])));
  } else if (action === 'show') {
    await presence.showTo(to.map((name) => parseRecipient(name, own)));
  } else if (action !== undefined) {
    if (client.state !== 'online')
      throw new CliError(
        'offline',
        'this device is shown to nobody now: be away while `listen` or `chat` is connected',
      );
    presence.appear(action === 'away' ? 'away' : 'online');
  }
  const peers = presence.shownTo().map((account) => ({ account, state: presence.of(account) ?? null }));
  return { own, ...presence.settings(), peers };
}

/** While a command runs: what the server says to all, who comes and goes, and who types. With `--json` as data, on a terminal as chatter, else not at all. */
export function showPresence(client: Client, output: Output, isTerminal: boolean): void {
  const nameOf = (account: AccountAddress) => shortName(account, client.address);
  const say = (record: Readonly<Record<string, unknown>>, text: string | undefined) => {
    // Whoever reads no more is found out by the next message.
    if (output.json) output.data(record, '').catch(() => undefined);
    else if (isTerminal && text !== undefined) output.note(text);
  };
  client.presence.onPresence(({ account, state }) =>
    say({ event: 'peer-presence', account, state }, `${nameOf(account)} is ${state}`),
  );
  client.serverNotices.onNotice(({ id, text, at, until }) => {
    if (output.json) output.data({ event: 'server-notice', id, text, at, until }, '').catch(() => undefined);
    else output.warn(`from the server, not from a person: ${text}`);
  });
  client.typing.onTyping(({ from, device, conversation, typing }) => {
    const where = conversation === from ? '' : ` in ${conversationName(client, conversation)}`;
    const text = typing ? `${nameOf(from)} is typing${where}…` : undefined;
    say({ event: 'typing', from, device, conversation, typing }, text);
  });
}
