/** `sealwire sessions`: encrypted sessions with others that are broken, and new ones in their place (docs/spec/healing.md section 6). */
import type { Command } from 'commander';
import { type Context, profileFor, withClient } from '../context.ts';
import { type AccountOptions, accountCommand, group } from '../options.ts';
import { parseRecipient, shortName } from '../recipient.ts';

interface ResetOptions extends AccountOptions {
  readonly to: string;
}

export function sessionsCommand(context: () => Context): Command {
  const list = accountCommand('list', 'List devices whose messages could not be read and have not come again', [
    'sealwire sessions',
  ]);
  list.action((options: AccountOptions) => listUnread(context(), options));
  const reset = accountCommand('reset', 'Begin new sessions with somebody, and ask again for what could not be read', [
    'sealwire sessions reset -t bob',
  ])
    .requiredOption('-t, --to <address>', 'bob, bob@example.org or sip:bob@example.org')
    .action((options: ResetOptions) => resetSessions(context(), options));
  return group('sessions', 'Encrypted sessions that broke: they begin anew by themselves, or by your word', [
    'sealwire sessions',
    'sealwire sessions reset -t bob',
  ])
    .addCommand(list, { isDefault: true })
    .addCommand(reset);
}

async function listUnread(context: Context, options: AccountOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    for (const { device, messages } of client.sessions.unread())
      await context.output.data({ event: 'unread', device, messages }, `${device}: ${messages} not read`);
  });
}

async function resetSessions(context: Context, options: ResetOptions): Promise<void> {
  await withClient(profileFor(context, options), async (client) => {
    const address = parseRecipient(options.to, client.address);
    const devices = await client.sessions.reset(address);
    const name = shortName(address, client.address);
    const text =
      devices.length === 0
        ? 'there is no other device'
        : `new sessions with ${devices.length} device(s) of ${name} begin with the next send, listen or chat`;
    await context.output.data({ event: 'sessions-reset', address, devices }, text);
  });
}
